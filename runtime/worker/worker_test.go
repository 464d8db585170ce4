package worker

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func startWorker(t *testing.T, f *fake, change func(*Config)) *Worker {
	t.Helper()
	cfg := Config{
		Orchestrator: f, APIURL: "http://127.0.0.1:1/api", WorkDir: t.TempDir(), CacheDir: t.TempDir(),
		Log: slog.New(slog.DiscardHandler), Grace: 200 * time.Millisecond, DrainGrace: 50 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	w := New(cfg)
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(context.Background()) })
	return w
}

func command(line string) map[string]any { return map[string]any{"command": line} }

func TestCommands(t *testing.T) {
	f := newFake()
	w := startWorker(t, f, nil)
	<-w.Ready()
	t.Setenv("OF_WORKER", "kept")
	unset := f.submit("unset", map[string]any{"command": "echo B=[$B] W=[$OF_WORKER]", "env": map[string]any{"B": nil, "OF_WORKER": nil}}, "")
	good := f.submit("good", map[string]any{"command": "echo hello $WHO from $PWD; echo aside >&2",
		"env": map[string]any{"WHO": "{{ prefect.variables.greeting }}"}}, "")
	bad := f.submit("bad", command("echo oh no >&2; exit 3"), "")
	silent := f.submit("silent", command("exit 0"), "x.go:Y")
	killed := f.submit("killed", command("kill -9 $$"), "")
	missing := f.submit("missing", map[string]any{"command": "true", "working_dir": "/no/such/folder"}, "")
	nothing := f.submit("nothing", nil, "")
	python := f.submit("python", map[string]any{"python": "/no/such/python"}, "flow.py:main")
	gone := f.submit("gone", nil, "flows/none.go:Adder")
	wrong := f.submit("wrong", map[string]any{"command": "true", "env": map[string]any{"A": "{{ prefect.variables.nope }}"}}, "")

	f.eventually(t, "the good run completes", f.is(good, core.Completed))
	f.eventually(t, "a run without what null unsets", f.is(unset, core.Completed))
	f.eventually(t, "as Prefect 3.4.9 does it, the worker's own environment stays", f.logged("B=[] W=[kept]"))
	f.eventually(t, "its output is logged", f.logged("hello salve from "+w.cfg.WorkDir))
	f.eventually(t, "its errors are logged", f.logged("aside"))
	for _, c := range []struct {
		id    core.UUID
		state core.StateType
		want  string
	}{
		{bad, core.Failed, "process exited with code 3: oh no"},
		{silent, core.Crashed, "without saying how the run ended"},
		{killed, core.Scheduled, "SIGKILL"},
		{missing, core.Crashed, "/no/such/folder"},
		{nothing, core.Crashed, "neither an entrypoint nor a command"},
		{python, core.Crashed, "there is no Python interpreter /no/such/python"},
		{gone, core.Crashed, "there is no file flows/none.go"},
		{wrong, core.Crashed, `variable "nope"`},
	} {
		f.eventually(t, c.want, func() bool { return f.runs[c.id].StateType == c.state && strings.Contains(f.crashes[c.id], c.want) })
	}
	for _, l := range f.logs {
		if l.Name != loggerName || l.FlowRunID.IsZero() || l.Timestamp.IsZero() {
			t.Fatalf("log %+v", l)
		}
	}
}

func TestPoolMustExist(t *testing.T) {
	w := New(Config{Orchestrator: newFake(), Pool: "gpu", Log: slog.New(slog.DiscardHandler)})
	err := w.Start(context.Background())
	if !core.IsNotFound(err) || !strings.Contains(err.Error(), "flowlite work-pool create") {
		t.Fatal(err)
	}
	if err := w.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A worker does not run the flows of a pool that is for others, and says for whom.
func TestPoolOfAnotherType(t *testing.T) {
	for kind, hint := range map[string]string{"docker": "prefect worker start --pool d --type docker", "ecs:push": "only Prefect Cloud"} {
		f := newFake()
		f.pools["d"], f.kind = true, kind
		run := f.submit("kept", command("true"), "")
		w := New(Config{Orchestrator: f, Pool: "d", Log: slog.New(slog.DiscardHandler)})
		err := w.Start(context.Background())
		if core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "of type "+kind) || !strings.Contains(err.Error(), hint) {
			t.Error(err)
		}
		if _, err := w.RunOnce(context.Background()); core.CodeOf(err) != core.EInvalid {
			t.Error(err)
		}
		if f.beats != 0 || len(f.polls) != 0 || f.runs[run].StateType != core.Scheduled {
			t.Error(f.beats, f.polls, f.states())
		}
		if err := w.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLimit(t *testing.T) {
	f := newFake()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	w := startWorker(t, f, func(c *Config) { c.Limit = 1 })
	first := f.submit("first", command("cat "+fifo), "")
	f.eventually(t, "the first starts", f.is(first, core.Running))
	second := f.submit("second", command("true"), "")
	f.eventually(t, "a full worker polls for cancellations only", func() bool { return f.polls[len(f.polls)-1].Free == 0 })
	if w.Running() != 1 {
		t.Fatal(w.Running())
	}
	if err := os.WriteFile(fifo, []byte("done\n"), 0); err != nil {
		t.Fatal(err)
	}
	f.eventually(t, "both complete", func() bool { return f.is(first, core.Completed)() && f.is(second, core.Completed)() })
}

func TestCancel(t *testing.T) {
	f := newFake()
	startWorker(t, f, nil)
	polite := f.submit("polite", command("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"), "")
	stubborn := f.submit("stubborn", command("trap '' TERM; echo deaf; while :; do sleep 0.05; done"), "")
	f.eventually(t, "both run", func() bool { return f.logged("ready")() && f.logged("deaf")() })
	f.cancel(polite)
	f.cancel(stubborn)
	f.eventually(t, "polite", f.is(polite, core.Cancelled))
	f.eventually(t, "said bye", f.logged("bye"))
	f.eventually(t, "stubborn", func() bool {
		return f.is(stubborn, core.Cancelled)() && strings.Contains(f.crashes[stubborn], "was killed")
	})
}

func TestLostLeaseKillsTheProcess(t *testing.T) {
	f := newFake()
	w := startWorker(t, f, nil)
	id := f.submit("lost", command("echo pid $$; sleep 60"), "")
	f.eventually(t, "it runs", f.logged("pid "))
	done := f.lock()
	f.lease[id] = core.NewID() // somebody else's
	held := f.lease
	f.lease = map[core.UUID]core.UUID{}
	pid, _ := strconv.Atoi(strings.TrimPrefix(f.logs[0].Message, "pid "))
	done()
	if err := w.renewOnce(context.Background()); err != nil {
		t.Fatal(err)
	}
	done = f.lock()
	f.lease = held
	done()
	w.running.Wait()
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("the process lives on")
	}
	if f.runs[id].StateType != core.Running || f.crashes[id] != "" {
		t.Error("the worker spoke for a run that is another's", f.states())
	}
}

func TestLostClaimIsHandedBack(t *testing.T) {
	f := newFake()
	w := startWorker(t, f, nil)
	id := f.submit("stray", command("true"), "")
	f.eventually(t, "it is over", f.is(id, core.Completed))
	done := f.lock()
	f.runs[id].StateType = core.Pending
	f.lease[id] = core.NewID()
	done()
	w.running.Wait()
	w.mu.Lock()
	w.suspect = true
	w.mu.Unlock()
	for range 2 {
		if err := w.renewOnce(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	f.eventually(t, "handed back", func() bool { return f.resumed[id] })
}

func TestServerAway(t *testing.T) {
	f := newFake()
	w := startWorker(t, f, nil)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	id := f.submit("steady", command("echo begun; cat "+fifo), "")
	f.eventually(t, "it runs", f.logged("begun"))
	done := f.lock()
	f.away = true
	done()
	if err := os.WriteFile(fifo, []byte("said while away\n"), 0); err != nil {
		t.Fatal(err)
	}
	n := len(f.polls)
	f.eventually(t, "it tries again", func() bool { return len(f.polls) > n+1 })
	if w.Fault() == nil {
		t.Error("an unreachable server is no fault")
	}
	done = f.lock()
	f.away = false
	done()
	f.eventually(t, "logs arrive", f.logged("said while away"))
	f.eventually(t, "the state arrives", f.is(id, core.Completed))
	next := f.submit("next", command("true"), "")
	f.eventually(t, "work goes on", f.is(next, core.Completed))
}

func TestStopHandsRunsBack(t *testing.T) {
	f := newFake()
	w := startWorker(t, f, nil)
	id := f.submit("long", command("echo begun; sleep 60"), "")
	f.eventually(t, "it runs", f.logged("begun"))
	if err := w.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !f.resumed[id] || !strings.Contains(f.crashes[id], "the worker stopped") {
		t.Error(f.states())
	}
	if err := w.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestInProcess(t *testing.T) {
	f := newFake()
	began := make(chan struct{})
	startWorker(t, f, func(c *Config) {
		c.InProcess = func(ctx context.Context, claim core.Claim) (bool, error) {
			switch claim.FlowRun.Name {
			case "boom":
				panic("boom")
			case "wait":
				close(began)
				<-ctx.Done()
				return true, context.Cause(ctx)
			case "other":
				return false, nil
			}
			_, err := f.SetFlowRunState(ctx, claim.FlowRun.ID, core.StateCreate{Type: core.Completed}, false)
			return true, err
		}
	})
	good, boom, wait, other := f.submit("good", nil, ""), f.submit("boom", nil, ""), f.submit("wait", nil, ""), f.submit("other", command("true"), "")
	f.eventually(t, "good", f.is(good, core.Completed))
	f.eventually(t, "boom", func() bool { return f.is(boom, core.Crashed)() && f.crashes[boom] == "panic: boom" })
	f.eventually(t, "other", f.is(other, core.Completed))
	<-began
	f.cancel(wait)
	f.eventually(t, "cancelled", f.is(wait, core.Cancelled))
}

func TestOutput(t *testing.T) {
	f := newFake()
	startWorker(t, f, nil)
	id := f.submit("noisy", command(`printf 'bad \377 byte\n'; head -c 200000 /dev/zero | tr '\0' 'x'; echo; printf 'nul \000 here\n'; printf 'no end'; echo 'panic: dropped it' >&2; echo 'goroutine 1' >&2; exit 2`), "")
	f.eventually(t, "it fails", func() bool {
		return f.is(id, core.Failed)() && f.crashes[id] == "process exited with code 2: panic: dropped it"
	})
	for _, want := range []string{"bad \uFFFD byte", "nul \uFFFD here", "no end", "goroutine 1"} {
		f.eventually(t, want, f.logged(want))
	}
	long := 0
	for _, l := range f.logs {
		if len(l.Message) > maxLine {
			t.Errorf("a line of %d bytes", len(l.Message))
		}
		if strings.HasPrefix(l.Message, "xxx") {
			long += len(l.Message)
		}
		if strings.HasPrefix(l.Message, "panic") && l.Level != 40 {
			t.Errorf("a panic at level %d", l.Level)
		}
	}
	if long != 200000 {
		t.Errorf("%d bytes of the long line arrived", long)
	}
}

func TestJobVariables(t *testing.T) {
	template := core.JSON(`{"job_configuration":{"command":"run --size {{ size }} {{ none }}","env":"{{ env }}","working_dir":"{{ dir }}"},"variables":{"properties":{"size":{"default":3},"dir":{"default":"/base"},"env":{"default":{"A":"1","B":"1"}}}}}`)
	vars := variablesOf(template, core.JSON(`{"env":{"B":"2","C":"2"}}`), core.JSON(`{"size":5,"env":{"C":null}}`))
	j, err := jobOf(template, vars, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := j.Command[2]; got != "run --size 5" {
		t.Errorf("command %q", got)
	}
	if _, set := j.Env["C"]; j.Env["A"] != "1" || j.Env["B"] != "2" || set || j.WorkingDir != "/base" {
		t.Errorf("%+v", j)
	}
	for _, bad := range []string{`{"command":5}`, `{"env":"x"}`, `{"working_dir":[]}`, `{"env":{"a=b":"c"}}`} {
		if _, err := jobOf(nil, core.JSON(bad).Map(), nil); core.CodeOf(err) != core.EInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
