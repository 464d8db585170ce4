package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/completion"
	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/cmd/flowlite/internal/profile"
	"github.com/flowlite/flowlite/runtime/core"
)

// cli is the grammar: each field is a command group in the file of its name.
type cli struct {
	Output string `short:"o" enum:"auto,table,json,jsonl,yaml,name" default:"auto" help:"auto, table, json, jsonl, yaml or name"`
	Color  string `enum:"auto,always,never" default:"auto" help:"auto, always or never"`
	APIURL string `name:"api-url" env:"FLOWLITE_API_URL" default:"${api}" help:"the server that client commands talk to"`
	Auth   string `name:"auth-string" env:"FLOWLITE_AUTH_STRING" hidden:""`

	Profile string `env:"FLOWLITE_PROFILE" predictor:"profile" help:"settings to take; default: the profile in use"`

	Up         upCmd              `cmd:"" help:"Server, worker and the flows of ./flows in one process"`
	Init       initCmd            `cmd:"" help:"Begin a project: a flow, and a flowlite.yaml"`
	Server     serverCmd          `cmd:"" help:"Run a server"`
	Worker     workerCmd          `cmd:"" help:"Run a worker"`
	Deploy     deployCmd          `cmd:"" help:"Deploy a flow"`
	Deployment deploymentCmd      `cmd:"" aliases:"deployments" help:"Flows with a place to run"`
	Flow       flowCmd            `cmd:"" aliases:"flows" help:"Flows"`
	FlowRun    flowRunCmd         `cmd:"" name:"flow-run" aliases:"flow-runs" help:"Executions of flows"`
	TaskRun    taskRunCmd         `cmd:"" name:"task-run" aliases:"task-runs" help:"Calls of tasks within flow runs"`
	Logs       logsTopCmd         `cmd:"" help:"Logs of a flow run"`
	WorkPool   workPoolCmd        `cmd:"" name:"work-pool" aliases:"work-pools" help:"Where runs wait for workers"`
	WorkQueue  workQueueCmd       `cmd:"" name:"work-queue" aliases:"work-queues" help:"Queues of a work pool"`
	Variable   variableCmd        `cmd:"" aliases:"variables" help:"Values that flows read"`
	Secret     secretCmd          `cmd:"" aliases:"secrets" help:"Values that flows read and nobody is shown"`
	Block      blockCmd           `cmd:"" aliases:"blocks" help:"Named configuration, such as secrets and webhooks"`
	Automation automationCmd      `cmd:"" aliases:"automations" help:"What is done when events come, or fail to"`
	Artifact   artifactCmd        `cmd:"" aliases:"artifacts" help:"What flows have left to be looked at"`
	Event      eventCmd           `cmd:"" aliases:"events" help:"What happened"`
	DB         dbCmd              `cmd:"" name:"db" help:"Copy, back up and restore databases"`
	Import     importCmd          `cmd:"" help:"Take over what another orchestrator holds"`
	Bench      benchCmd           `cmd:"" help:"Measure flowlite on this machine"`
	TagLimit   tagLimitCmd        `cmd:"" name:"concurrency-limit" aliases:"concurrency-limits" help:"How many task runs with a tag may run at once"`
	GCL        globalLimitCmd     `cmd:"" name:"global-concurrency-limit" aliases:"global-concurrency-limits,gcl" help:"Slots and rates that code asks for by name"`
	Config     configCmd          `cmd:"" help:"Settings of the profile in use"`
	Profiles   profileCmd         `cmd:"" name:"profile" aliases:"profiles" help:"Named sets of settings, one for each server"`
	Dashboard  dashboardCmd       `cmd:"" help:"The UI"`
	Completion completion.Command `cmd:"" help:"Make the shell complete commands, flags and names"`
	Version    versionCmd         `cmd:"" help:"The version of this program"`
}

// app is what a command runs with.
type app struct {
	ctx   context.Context
	stdin io.Reader
	cli   *cli
	out   *out.Printer
	api   *api
	args  []string

	profiles *profile.File
	profile  string // the name of the one in use
}

// defaultAPI is the server where none is configured.
const defaultAPI = "http://127.0.0.1:4200/api"

type helpShown struct{ code int }

// run is the whole program; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	var c cli
	defer func() {
		switch r := recover().(type) {
		case nil:
		case helpShown:
			code = r.code
		default:
			panic(r)
		}
	}()
	switch {
	case len(args) > 0 && args[0] == "--version":
		args = append([]string{"version"}, args[1:]...)
	case len(args) > 0 && args[0] == "help":
		args = append(slices.Clone(args[1:]), "--help")
	}
	a := &app{stdin: stdin, cli: &c, args: args}
	group := groupOf(args)
	typed, completes := completion.Asked(os.Getenv)
	if completes {
		group = ""
	}
	parser := parser(&c, group, kong.Writers(stdout, stderr), kong.UsageOnError(), kong.Resolvers(&resolver{app: a}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Exit(func(code int) { panic(helpShown{code}) }))
	if completes {
		complete(stdout, parser, typed)
		return 0
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(globalsFirst(longFlags(args)))
	c.taken(parser.Model)
	a.out = out.New(stdout, stderr, c.Output, c.Color, os.Getenv)
	if err != nil {
		if f, ok := errors.AsType[*failure](err); ok {
			return report(a.out, f)
		}
		if left := leftOut(args); left != nil {
			return report(a.out, left)
		}
		return report(a.out, usage(err, args))
	}
	a.api = newAPI(c.APIURL, c.Auth)
	var stop context.CancelFunc
	a.ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = ctx.Run(a)
	if err != nil && errors.Is(a.ctx.Err(), context.Canceled) {
		if _, ok := errors.AsType[*failure](err); !ok {
			return exitInterrupted
		}
	}
	return report(a.out, err)
}

// longFlags are Prefect's short flags of two letters, and negative numbers.
func longFlags(args []string) (long []string) {
	for i, a := range args {
		switch {
		case a == "--":
			return append(long, args[i:]...)
		case a == "-jv":
			a = "--job-variable"
		case a == "-cl":
			a = "--concurrency-limit"
		case i > 0 && negative.MatchString(a) && strings.HasPrefix(args[i-1], "--") && !strings.Contains(args[i-1], "="):
			// kong takes a number below 0 for a flag, and our own checks say more.
			long[len(long)-1] += "=" + a
			continue
		}
		long = append(long, a)
	}
	return long
}

var negative = regexp.MustCompile(`^-[0-9][0-9.]*$`)

func usage(err error, args []string) error {
	var words []string
	for _, a := range args {
		if strings.HasPrefix(a, "-") || len(words) == 2 {
			break
		}
		words = append(words, a)
	}
	if pe, ok := errors.AsType[*kong.ParseError](err); ok && pe.Context != nil {
		if n := pe.Context.Selected(); n != nil {
			words = words[:0]
			for ; n.Type == kong.CommandNode; n = n.Parent {
				words = append([]string{n.Name}, words...)
			}
		} else {
			words = nil
		}
	}
	hint := strings.Join(append([]string{"flowlite"}, append(words, "--help")...), " ")
	if strings.Join(words, " ") == "secret set" && strings.HasPrefix(err.Error(), "unexpected argument") {
		return &failure{code: exitUsage, what: "a secret is not said on the command line, where the shell's history would keep it",
			hint: "leave it out to be asked for it, or say --from-stdin, --from-file FILE or --from-env NAME"}
	}
	what := err.Error()
	if head, rest, ok := strings.Cut(
		what,
		": ",
	); ok &&
		strings.Join(strings.Fields(aliases.ReplaceAllString(head, "")), " ") == strings.Join(words, " ") {
		what = rest // the hint names the command
	}
	for _, r := range rewordings {
		what = r.kong.ReplaceAllString(what, r.ours)
	}
	return &failure{code: exitUsage, what: what, hint: hint}
}

var aliases = regexp.MustCompile(`\([a-z,-]+\)`)

// rewordings put what kong says into our words.
var rewordings = []struct {
	kong *regexp.Regexp
	ours string
}{
	{regexp.MustCompile(`expected a valid 64 bit int but got`), "must be a whole number, not"},
	{regexp.MustCompile(`expected a valid 64 bit float but got`), "must be a number, not"},
	{regexp.MustCompile(`^unknown flag (-[0-9][0-9.]*)(,.*)?$`), "$1 is read as a flag; put -- before it if it is none"},
	{regexp.MustCompile(`^--\S+: (.*) \(from envar (\w+)=.*\)$`), "$2: $1"},
}

// globalsFirst moves the global flags in front of `flow-run resume`, whose own
// flags come from the run's input schema and so are not parsed here.
func globalsFirst(args []string) []string {
	i := slices.Index(args, "resume")
	if i < 1 || !strings.HasPrefix(args[i-1], "flow-run") {
		return args
	}
	var globals, rest []string
	for r := args[i+1:]; len(r) > 0; r = r[1:] {
		name, _, inline := strings.Cut(r[0], "=")
		switch name {
		case "-o", "--output", "--color", "--api-url", "--profile":
			globals = append(globals, r[0])
			if !inline && len(r) > 1 {
				r = r[1:]
				globals = append(globals, r[0])
			}
		case "-h", "--help":
			return []string{args[i-1], "--help", "resume"}
		default:
			rest = append(rest, r[0])
		}
	}
	return slices.Concat(args[:i-1], globals, []string{args[i-1], "resume"}, rest)
}

// pageFlags are those of every ls.
type pageFlags struct {
	Limit  int `default:"15" help:"rows to show, at most 200"`
	Offset int `help:"rows to leave out"`
}

func (p pageFlags) Validate() error {
	if p.Limit < 1 || p.Limit > core.MaxLimit || p.Offset < 0 {
		return fmt.Errorf("--limit is from 1 to %d, --offset not below 0", core.MaxLimit)
	}
	return nil
}

func (p pageFlags) body(more map[string]any) map[string]any {
	m := map[string]any{"limit": p.Limit, "offset": p.Offset}
	maps.Copy(m, more)
	return m
}

// more tells of the next page.
func (a *app) more(n int, p pageFlags) {
	if n > 0 && n == p.Limit {
		a.out.Hint("there may be more: flowlite %s --offset %d", strings.Join(withoutFlag(a.args, "--offset"), " "), p.Offset+p.Limit)
	}
}

// onLine tells whether a flag stands on the command line, and does not come from
// a setting.
func (a *app) onLine(short, long string) bool {
	return slices.ContainsFunc(a.args, func(s string) bool {
		return s == long || strings.HasPrefix(s, long+"=") || strings.HasPrefix(s, short) && !strings.HasPrefix(s, "--")
	})
}

func withoutFlag(args []string, flag string) (rest []string) {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == flag:
			i++
		case !strings.HasPrefix(args[i], flag+"="):
			rest = append(rest, args[i])
		}
	}
	return rest
}
