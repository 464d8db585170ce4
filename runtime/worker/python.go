package worker

import (
	"os"

	"github.com/flowlite/flowlite/runtime/core"
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
		l.dir, l.scrap = dir, dir
	} else if err := isDir(l.dir); err != nil {
		return err
	}
	named := j.Python
	if named == "" {
		named = w.cfg.Python
	}
	interpreter, err := python.Interpreter(l.dir, named)
	if err != nil {
		return err
	}
	runner, err := python.Runner(w.cfg.CacheDir)
	if err != nil {
		return err
	}
	l.argv = []string{interpreter, runner, "run"}
	l.env = w.environment(r, j, src.Entrypoint, l)
	return nil
}

// prefectEnv is what a Prefect engine is told of its run.
func (w *Worker) prefectEnv(r *run, env map[string]string) {
	env["PREFECT__FLOW_RUN_ID"] = r.id().String()
	env["PREFECT_API_URL"] = w.cfg.APIURL
	if w.cfg.AuthString != "" {
		env["PREFECT_API_AUTH_STRING"] = w.cfg.AuthString
	}
}

// pythonEnv is for the runner. The engine itself runs the hooks of a crash,
// since there is no runner of Prefect's around it that would.
func (w *Worker) pythonEnv(r *run, entrypoint, dir string, env map[string]string) {
	w.prefectEnv(r, env)
	if entrypoint != "" {
		env["PREFECT__FLOW_ENTRYPOINT"] = entrypoint
	}
	env["PREFECT__STORAGE_BASE_PATH"] = dir
	env["PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS"] = "true"
	env["PYTHONUNBUFFERED"] = "1"
}
