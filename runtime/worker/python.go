package worker

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/build"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// preparePython finds the code and the interpreter of a Prefect flow.
func (w *Worker) preparePython(r *run, j *job, l *launchable) error {
	l.python = true
	src := python.SourceOf(r.claim.Deployment, j.WorkingDir, w.cfg.WorkDir)
	l.dir = src.Dir
	if l.dir == "" {
		dir, err := os.MkdirTemp("", "flowlite-*-prefect")
		if err != nil {
			return core.Errorf(core.EUnavailable, "a folder for the flow's code: %w", err)
		}
		l.dir, l.tempDir = dir, dir
		if err := w.cfg.RunAs.Give(dir); err != nil {
			return core.Errorf(core.EUnavailable, "a folder for the flow's code: %w", err)
		}
	} else if err := isDir(l.dir); err != nil {
		return err
	}
	named := j.Python
	if named == "" {
		named = w.cfg.Python
	}
	code := l.dir
	if file, _, ok := strings.Cut(src.Entrypoint, ":"); ok {
		if code = filepath.Dir(file); !filepath.IsAbs(code) {
			code = filepath.Join(l.dir, code)
		}
	}
	interpreter, err := python.Interpreter(code, l.dir, named)
	if err != nil {
		return err
	}
	if e, err := build.ParseEntrypoint(l.dir, src.Entrypoint); err == nil && e.Kind() == build.Python {
		if err := e.Check(); err != nil {
			return err
		}
	}
	runner, err := python.Runner(w.cfg.CacheDir)
	if err != nil {
		return err
	}
	if err := w.cfg.RunAs.Share(w.cfg.CacheDir, runner); err != nil {
		return err
	}
	l.argv = []string{interpreter, runner, "run"}
	l.env = w.environment(r, j, src.Entrypoint, l)
	return nil
}

// ofRun are further variables that differ from run to run.
var ofRun = []string{"PWD", "PREFECT__STORAGE_BASE_PATH", "FLOWLITE_AUTH_STRING", "PREFECT_API_AUTH_STRING", customHeaders}

// fork starts the run in a child of its warm parent. What belongs to the run
// alone is no part of the parent's environment, or none would be warm.
func (w *Worker) fork(r *run, l *launchable, out, errs, logs *os.File) (*started, error) {
	if w.cfg.NoFork {
		return nil, python.ErrNoFork
	}
	q := python.Request{Interpreter: l.argv[0], Runner: l.argv[1], Dir: l.dir, ParentDir: l.dir, Stdout: out, Stderr: errs, Logs: logs}
	if l.tempDir != "" {
		q.ParentDir = os.TempDir()
	}
	for _, kv := range l.env {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(ofRun, name) || slices.Contains(runOnly, name) {
			q.Own = append(q.Own, kv)
		} else {
			q.Env = append(q.Env, kv)
		}
	}
	c, err := w.forks.Fork(r.ctx, q)
	if err != nil {
		return nil, err
	}
	return &started{pid: c.PID, wait: c.Wait, release: func() {}}, nil
}

// oneURL is of several servers the one that answers now.
func (w *Worker) oneURL() string {
	if remote, ok := w.orch.(interface{ URL() string }); ok {
		return remote.URL()
	}
	return w.cfg.APIURL
}

// prefectEnv is what a Prefect engine is told of its run.
func (w *Worker) prefectEnv(r *run, env map[string]string, url string) {
	env["PREFECT__FLOW_RUN_ID"] = r.id().String()
	env["PREFECT_API_URL"] = url
}

// relayed makes up for an address on this machine: the links that the engine
// prints lead to a server, and no proxy is asked for it.
func (w *Worker) relayed(env map[string]string) {
	if _, said := env["PREFECT_UI_URL"]; !said {
		first, _, _ := strings.Cut(w.cfg.APIURL, ",") // always the same, or a warm parent would not do
		env["PREFECT_UI_URL"] = strings.TrimSuffix(first, "/api")
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if hosts := env[name]; hosts != "" {
			env[name] = hosts + ",127.0.0.1"
		} else {
			env[name] = "127.0.0.1"
		}
	}
}

// pythonEnv is for the runner. The engine itself runs the hooks of a crash,
// since there is no runner of Prefect's around it that would.
func (w *Worker) pythonEnv(r *run, entrypoint, dir string, env map[string]string) {
	w.prefectEnv(r, env, cmp.Or(w.cfg.PrefectURL, w.cfg.APIURL))
	if w.cfg.PrefectURL != "" {
		w.relayed(env)
	}
	if entrypoint != "" {
		env["PREFECT__FLOW_ENTRYPOINT"] = entrypoint
	}
	env["PREFECT__STORAGE_BASE_PATH"] = dir
	env["PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS"] = "true"
	env["PYTHONUNBUFFERED"] = "1"
}
