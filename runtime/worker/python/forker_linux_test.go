package python_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// standIn has as much of Prefect's package as the runner touches, so that the
// parent's own promises can be tested wherever there is a Python.
var standIn = map[string]string{
	"__init__.py": "",
	"main.py":     "",
	"task_engine.py": `
import os, threading
if os.environ.get("THREAD"):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
`,
	"exceptions.py": "class TerminationSignal(BaseException): pass\n",
	"engine.py": `
import contextlib
@contextlib.contextmanager
def handle_engine_signals(id):
    yield
`,
	"settings.py": `
from types import SimpleNamespace as N
def get_current_settings():
    return N(results=N(model_fields_set=set()), logging=N(to_api=N(enabled=True)))
`,
	"flow_engine.py": `
import logging, os, sys, threading
from types import SimpleNamespace as N
def exception_to_crashed_state(exc): pass
def load_flow_run(flow_run_id): return N(id=flow_run_id, labels={})
def flow_run_logger(flow_run): return logging.getLogger("prefect.flow_runs")
def load_flow(flow_run):
    flow = N(persist_result=None, result_serializer=None)
    sys.path.insert(0, os.path.dirname(os.environ["PREFECT__FLOW_ENTRYPOINT"]))
    import flow_code
    flow.fn = flow_code.main
    return flow
def run_flow(flow, **kw):
    flow.fn()
`,
}

// forkFolder has the stand-in and a flow; it returns what a run is asked for with.
func forkFolder(t *testing.T, code string) (r python.Request, dir string) {
	t.Helper()
	interpreter, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI is set, but there is no python3 here")
		}
		t.Skip("there is no python3 here")
	}
	dir = t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range standIn {
		put("site/prefect/"+name, text)
	}
	put("flows/flow_code.py", code)
	runner, err := python.Runner(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PYTHONPATH=" + filepath.Join(dir, "site"), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"}
	own := []string{"PREFECT__FLOW_RUN_ID=" + core.NewID().String(), "PREFECT__FLOW_ENTRYPOINT=" + filepath.Join(dir, "flows/flow_code.py") + ":main", "WHO=first"}
	return python.Request{Interpreter: interpreter, Runner: runner, ParentDir: dir, Dir: filepath.Join(dir, "flows"), Env: env, Own: own}, dir
}

func forker(t *testing.T) *python.Forker {
	f := &python.Forker{Start: func(do func() error) error { return do() }, Log: slog.New(slog.DiscardHandler)}
	t.Cleanup(f.Close)
	return f
}

// forkOnce runs to the end and returns its output.
func forkOnce(t *testing.T, f *python.Forker, r python.Request) (status syscall.WaitStatus, output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r.Stdout, r.Stderr = out, out
	c, err := f.Fork(ctx, r)
	out.Close()
	if err != nil {
		return 0, "", err
	}
	text, readErr := io.ReadAll(in)
	status, err = c.Wait()
	return status, string(bytes.TrimSpace(text)), errors.Join(readErr, err)
}

const tells = `
import os, random, threading
def main():
    print(os.environ.get("WHO"), os.getcwd(), os.getppid(), os.getpgid(0) == os.getpid(), random.random(), VERSION, flush=True)
    os._exit(int(os.environ.get("CODE", "0")))
VERSION = 1
`

func TestForker(t *testing.T) {
	f := forker(t)
	r, dir := forkFolder(t, tells)
	if f.Parents() != 0 {
		t.Fatal("a parent before the first run")
	}
	status, out, err := forkOnce(t, f, r)
	first := strings.Fields(out)
	if err != nil || status.ExitStatus() != 0 || len(first) != 6 || first[0] != "first" || first[1] != r.Dir || first[3] != "True" || first[5] != "1" {
		t.Fatalf("%v %q %v", status, out, err)
	}

	// The same parent, another run; edited code counts, as does its exit code.
	if err := os.WriteFile(filepath.Join(dir, "flows/flow_code.py"), []byte(strings.Replace(tells, "VERSION = 1", "VERSION = 22", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	again := r
	again.Own = append(append([]string{}, r.Own[:2]...), "WHO=second", "CODE=7")
	status, out, err = forkOnce(t, f, again)
	second := strings.Fields(out)
	if err != nil || status.ExitStatus() != 7 || len(second) != 6 || second[0] != "second" || second[5] != "22" {
		t.Fatalf("%v %q %v", status, out, err)
	}
	if second[2] != first[2] || f.Parents() != 1 {
		t.Errorf("parents %s and %s, %d in all", first[2], second[2], f.Parents())
	}
	if second[4] == first[4] {
		t.Error("two runs have the same random numbers")
	}

	// Another environment has another parent.
	other := r
	other.Env = append([]string{"OTHER=1"}, r.Env...)
	if _, out, err = forkOnce(t, f, other); err != nil || strings.Fields(out)[2] == first[2] || f.Parents() != 2 {
		t.Errorf("%q %v, %d parents", out, err, f.Parents())
	}

	// Changed packages end the parent's time.
	if err := os.Chtimes(filepath.Join(dir, "site"), time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, out, err = forkOnce(t, f, r); err != nil || strings.Fields(out)[2] == first[2] {
		t.Errorf("the old parent runs new packages: %q %v", out, err)
	}
}

func TestForkerIdle(t *testing.T) {
	f := forker(t)
	f.Idle = 10 * time.Millisecond
	r, _ := forkFolder(t, tells)
	_, out, err := forkOnce(t, f, r)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); f.Parents() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the parent of %q does not end", out)
		}
	}
}

func TestForkerParentDies(t *testing.T) {
	f := forker(t)
	r, _ := forkFolder(t, "import os, signal, time\ndef main():\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(60)\n")
	if _, _, err := forkOnce(t, f, r); err == nil {
		t.Error("nobody says that the run's end is unknown")
	}
	if _, _, err := forkOnce(t, f, r); err == nil {
		t.Error("the next run has a parent of its own, which it kills too")
	}
}

func TestForkerRefuses(t *testing.T) {
	t.Run("a parent with threads", func(t *testing.T) {
		f := forker(t)
		r, _ := forkFolder(t, tells)
		r.Env = append(r.Env, "THREAD=1")
		for range 2 {
			if _, _, err := forkOnce(t, f, r); !errors.Is(err, python.ErrNoFork) {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("no Prefect", func(t *testing.T) {
		f := forker(t)
		r, dir := forkFolder(t, tells)
		if err := os.RemoveAll(filepath.Join(dir, "site/prefect")); err != nil {
			t.Fatal(err)
		}
		_, _, err := forkOnce(t, f, r)
		if core.CodeOf(err) != core.EInvalid || err == nil || !strings.Contains(err.Error(), "has no Prefect") && !strings.Contains(err.Error(), "cannot import Prefect") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("after the end", func(t *testing.T) {
		f := forker(t)
		f.Close()
		r, _ := forkFolder(t, tells)
		if _, _, err := forkOnce(t, f, r); !errors.Is(err, python.ErrNoFork) {
			t.Errorf("got %v", err)
		}
	})
}
