package flowlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/schema"
)

// Main turns a program into a flow binary: run, deploy, serve, describe. A
// worker starts it without arguments to execute a run. The program talks to the
// server that the environment variable FLOWLITE_API_URL names, with the
// credentials in FLOWLITE_AUTH_STRING.
func Main(flows ...AnyFlow) {
	m := map[string]AnyFlow{}
	for _, f := range flows {
		m[f.Name()] = f
	}
	MainEntrypoints(m)
}

// MainEntrypoints is Main for the main package that a worker generates: the
// keys are the names of the flows' variables.
func MainEntrypoints(flows map[string]AnyFlow) {
	installLogHandler()
	p := &program{flows: flows, out: os.Stdout}
	ctx, cancel := context.WithCancelCause(context.Background())
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(sig)
	go func() {
		<-sig
		cancel(ErrCancelled)
		signal.Stop(sig) // a second signal kills
	}()
	if os.Getenv("FLOWLITE_WATCH_STDIN") == "1" {
		go func() {
			// The worker holds the other end: its death must be ours, at once,
			// because another one may already have the run.
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(137)
		}()
	}
	if err := p.run(ctx, os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		switch core.CodeOf(err) {
		case core.EUnavailable:
			_, _ = fmt.Fprintln(os.Stderr, "hint: FLOWLITE_API_URL is the server's address")
		case core.EUnauth:
			_, _ = fmt.Fprintln(os.Stderr, "hint: set FLOWLITE_AUTH_STRING to the user:password of the server")
		}
		os.Exit(1) //nolint:gocritic // the end of the process stops the signals, too
	}
}

// installLogHandler makes slog's default logger write the logs of runs, too.
func installLogHandler() {
	// SetDefault makes package log write to slog. If slog wrote to package log so
	// far, each would write to the other for ever; so package log stays as it is.
	out, flags := log.Writer(), log.Flags()
	slog.SetDefault(slog.New(LogHandler(slog.Default().Handler())))
	log.SetOutput(out)
	log.SetFlags(flags)
}

type program struct {
	flows map[string]AnyFlow
	out   io.Writer
}

func (p *program) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		if id := os.Getenv("FLOWLITE_FLOW_RUN_ID"); id != "" {
			return p.execute(ctx, id)
		}
		return fmt.Errorf("what is to be done? %s run [-p key=value], deploy, serve or describe", os.Args[0])
	}
	switch cmd, args := args[0], args[1:]; cmd {
	case "describe":
		return p.describe()
	case "run":
		return p.runOnce(ctx, args)
	case "deploy":
		return p.deploy(ctx)
	case "serve":
		var all []*engine.Flow
		for _, f := range p.flows {
			all = append(all, engine.FlowOf(f))
		}
		ctx, err := environment(ctx)
		if err != nil {
			return err
		}
		return serve(ctx, all...)
	default:
		return fmt.Errorf("%q is not a command of this flow binary; there are run, deploy, serve and describe", cmd)
	}
}

// environment returns a context in which everything outside a run goes to the
// server that the environment names: a worker sets it for its processes.
func environment(ctx context.Context) (context.Context, error) {
	if e, err := engine.Of(ctx); e != nil || err != nil {
		return ctx, err
	}
	url := os.Getenv("FLOWLITE_API_URL")
	if url == "" {
		return nil, errors.New("no server to talk to; set FLOWLITE_API_URL to the address of one (flowlite up starts it)")
	}
	if err := client.CheckServers(url); err != nil {
		return nil, fmt.Errorf("FLOWLITE_API_URL: %w", err)
	}
	e := engine.New(engine.Config{Orchestrator: Client(url, Auth(os.Getenv("FLOWLITE_AUTH_STRING"))), Lease: true, Logs: engine.WorkerLogs()})
	return (&Connection{e}).Context(ctx), nil
}

// find looks a flow up by the name of its variable or by its own.
func (p *program) find(name string) (AnyFlow, error) {
	if f := p.flows[name]; f != nil {
		return f, nil
	}
	for _, f := range p.flows {
		if f.Name() == name || name == "" && len(p.flows) == 1 {
			return f, nil
		}
	}
	have := slices.Sorted(maps.Keys(p.flows))
	return nil, fmt.Errorf("there is no flow %q here; there are: %s", name, strings.Join(have, ", "))
}

// execute runs the flow run that a worker claimed.
func (p *program) execute(ctx context.Context, id string) error {
	runID, err := core.ParseUUID(id)
	if err != nil {
		return fmt.Errorf("FLOWLITE_FLOW_RUN_ID: %w", err)
	}
	f, err := p.find(os.Getenv("FLOWLITE_ENTRYPOINT"))
	if err != nil {
		return err
	}
	ctx, err = environment(ctx)
	if err != nil {
		return err
	}
	if t := os.Getenv("FLOWLITE_RUN_TOKEN"); t != "" {
		token, err := core.ParseUUID(t)
		if err != nil {
			return fmt.Errorf("FLOWLITE_RUN_TOKEN: %w", err)
		}
		ctx = core.WithRunToken(ctx, token)
	}
	e, err := current(ctx)
	if err != nil {
		return err
	}
	defer closeEngine(e)
	flow := engine.FlowOf(f).Checked()
	if rec := engine.HandedRun(runID); rec != nil {
		_, err = e.ExecuteRun(ctx, flow, rec)
	} else {
		_, err = e.Execute(ctx, flow, runID)
	}
	if errors.Is(err, ErrLeaseLost) || core.CodeOf(err) == core.ELeaseLost {
		return nil // the run is in other hands, and says how it stands there
	}
	return err
}

// closeGrace is how long the last log entries of a program may take.
const closeGrace = 30 * time.Second

func closeEngine(e *engine.Engine) {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	_ = e.Close(ctx)
}

// Registry is what describe prints.
type registry struct {
	Flows []described `json:"flows"`
}

type described struct {
	Entrypoint  string                  `json:"entrypoint"`
	Name        string                  `json:"name"`
	Description string                  `json:"description"`
	Version     string                  `json:"version"`
	Schema      core.JSON               `json:"parameter_openapi_schema"`
	Deployments []core.DeploymentCreate `json:"deployments"`
}

func (p *program) describe() error {
	r := registry{Flows: []described{}}
	for _, key := range slices.Sorted(maps.Keys(p.flows)) {
		f := engine.FlowOf(p.flows[key])
		list, err := f.Declared("local")
		if err != nil {
			return err
		}
		r.Flows = append(r.Flows, described{Entrypoint: key, Name: f.Name, Description: f.Options.Description, Version: f.Options.Version,
			Schema: f.Schema, Deployments: list})
	}
	enc := json.NewEncoder(p.out)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// runOnce is `run [FLOW] [-p key=value]...`.
func (p *program) runOnce(ctx context.Context, args []string) error {
	name := ""
	typed := map[string]string{}
	for i := 0; i < len(args); i++ {
		kv, ok := strings.CutPrefix(args[i], "-p")
		switch {
		case ok && kv == "" && i+1 < len(args):
			i++
			kv = args[i]
		case !ok && name == "":
			name = args[i]
			continue
		case !ok || kv == "":
			return fmt.Errorf("%q is not understood; write run [FLOW] -p key=value", args[i])
		}
		k, v, found := strings.Cut(strings.TrimPrefix(kv, "="), "=")
		if !found {
			return fmt.Errorf("-p %s: write -p key=value", kv)
		}
		typed[k] = v
	}
	f, err := p.find(name)
	if err != nil {
		return err
	}
	params := map[string]core.JSON{}
	for k, v := range typed {
		params[k] = schema.FromText(engine.FlowOf(f).Schema, k, v)
	}
	ctx, err = environment(ctx)
	if err != nil {
		return err
	}
	e, err := current(ctx)
	if err != nil {
		return err
	}
	defer closeEngine(e)
	out, err := e.Run(ctx, engine.FlowOf(f).Checked(), core.ToJSON(params))
	if err != nil {
		return err
	}
	if out.Err != nil {
		return fmt.Errorf("flow run %s: %w", out.FlowRun.Name, out.Err)
	}
	_, err = fmt.Fprintf(p.out, "%s\n", out.Result)
	return err
}

// deploy is the `deploy` command of a flow binary.
func (p *program) deploy(ctx context.Context) error {
	ctx, err := environment(ctx)
	if err != nil {
		return err
	}
	o, err := orchestrator(ctx)
	if err != nil {
		return err
	}
	for key, one := range p.flows {
		entrypoint, err := ownBinary(key)
		if err != nil {
			return err
		}
		if strings.Contains(entrypoint, "/go-build") {
			return fmt.Errorf(
				"%s is a temporary binary of go run, which no worker finds later; build the program first: go build -o bin/flows . && bin/flows deploy",
				entrypoint,
			)
		}
		f := engine.FlowOf(one)
		list, err := f.Declared("local")
		if err != nil {
			return err
		}
		for _, c := range list {
			c.OwnCode(entrypoint)
			d, err := engine.Deploy(ctx, o, f, c)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(p.out, "%s/%s\n", f.Name, d.Name)
		}
	}
	return nil
}
