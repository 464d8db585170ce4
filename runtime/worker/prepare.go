package worker

import (
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

// launchable is a process to be started.
type launchable struct {
	argv      []string
	env       []string
	dir       string
	python    bool // the runner of a Prefect flow
	unmanaged bool // knows nothing of runs: the worker sets its states
	group     bool // signals go to the whole group: a shell does not hand them on
	quiet     bool
	tempDir   string // a folder to be removed afterwards
}

// handsOver reports whether the process is a flow binary: it reads its flow run
// from a descriptor. Commands and Prefect know nothing of that.
func (l *launchable) handsOver() bool { return !l.group && !l.python }

func isDir(dir string) error {
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return core.Errorf(
			core.EInvalid,
			"the working directory %s is not there; set the job variable working_dir, or deploy again from a folder that this worker has",
			dir,
		)
	}
	return nil
}

// Variables that belong to one run: a worker that is itself executed by a flow
// hands none of its own on.
var runOnly = []string{
	"FLOWLITE_FLOW_RUN_ID",
	"FLOWLITE_RUN_TOKEN",
	"FLOWLITE_ENTRYPOINT",
	"FLOWLITE_WATCH_STDIN",
	core.LogSocketEnv,
	core.FlowRunEnv,
	"FLOWLITE_PARAMETERS",
	"PREFECT__FLOW_RUN_ID",
	"PREFECT__FLOW_ENTRYPOINT",
}

// maxEnv is below what Linux takes for one variable (128 KiB).
const maxEnv = 100 << 10

// prepare finds out what to start; it may compile.
func (w *Worker) prepare(r *run) (*launchable, error) {
	c := r.claim
	var template, fromDeployment core.JSON
	var path, entrypoint string
	if c.WorkPool != nil {
		template = c.WorkPool.BaseJobTemplate
	}
	if c.Deployment != nil {
		fromDeployment = c.Deployment.JobVariables
		path, entrypoint = core.Deref(c.Deployment.Path), core.Deref(c.Deployment.Entrypoint)
	}
	vars := variablesOf(template, fromDeployment, c.FlowRun.JobVariables)
	refs := &references{orch: w.orch, ctx: r.ctx}
	j, err := jobOf(template, vars, refs.lookup)
	refs.secrets = append(refs.secrets, w.ownSecrets()...)
	w.logs.mask(r.id(), refs.secrets)
	if err != nil {
		return nil, err
	}

	l := &launchable{quiet: j.Quiet}
	defer func() { w.logs.mask(r.id(), append(refs.secrets, secretsOf(l.env)...)) }()
	if len(j.Command) == 0 && c.Deployment != nil && c.Deployment.Python() {
		return l, w.preparePython(r, j, l)
	}
	if d := c.Deployment; d != nil && d.Fetches() != "" && len(j.Command) == 0 {
		return nil, core.Errorf(
			core.EInvalid,
			"the deployment has %s, and flowlite's workers fetch code for Python flows only; deploy it again: flowlite deploy %s",
			d.Fetches(),
			core.ShellWord(entrypoint),
		)
	}
	dir := w.dirOf(j.WorkingDir, path)
	if err := isDir(dir); err != nil {
		return nil, err
	}
	l.dir = dir
	switch {
	case len(j.Command) > 0:
		l.argv, l.group, l.unmanaged = j.Command, true, entrypoint == ""
	case entrypoint == "":
		return nil, core.Errorf(
			core.EInvalid,
			"the deployment has neither an entrypoint nor a command; deploy it again: flowlite deploy path/file.go:Name",
		)
	default:
		e, err := build.ParseEntrypoint(dir, entrypoint)
		if err != nil {
			return nil, err
		}
		bin, cached, err := w.cfg.Builder.Build(r.ctx, e)
		if err != nil {
			return nil, err
		}
		if !cached {
			w.log.Info("built", "entrypoint", e.String())
		}
		if err := w.cfg.RunAs.Share(w.cfg.CacheDir, bin); err != nil {
			return nil, err
		}
		l.argv = []string{bin}
		entrypoint = e.Name
	}
	l.env = w.environment(r, j, entrypoint, l)
	return l, nil
}

// ownSecrets are what no log of a run shows of the worker's own credentials.
func (w *Worker) ownSecrets() []string {
	if w.cfg.AuthString == "" {
		return nil
	}
	return []string{w.cfg.AuthString, base64.StdEncoding.EncodeToString([]byte(w.cfg.AuthString))}
}

// secretsOf are the values of an environment that no log of its run shows:
// credentials that job variables set, too.
func secretsOf(env []string) (secrets []string) {
	for _, kv := range env {
		name, v, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "FLOWLITE_SECRET_") || core.Withheld(name) {
			secrets = append(secrets, v)
		}
	}
	return secrets
}

// dirOf is where a deployment's code lies: path below the job variable
// working_dir, which is itself below the worker's own directory, as far as they
// are relative. working_dir takes the place of an absolute path.
func (w *Worker) dirOf(workingDir, path string) string {
	from := func(base, p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(base, p)
	}
	if workingDir != "" && filepath.IsAbs(path) {
		path = ""
	}
	return from(from(w.cfg.WorkDir, workingDir), path)
}

func (w *Worker) environment(r *run, j *job, entrypoint string, l *launchable) []string {
	env := map[string]string{}
	for _, kv := range w.cfg.RunAs.Environ(core.FlowEnviron(os.Environ())) {
		k, v, _ := strings.Cut(kv, "=")
		if !slices.Contains(runOnly, k) {
			env[k] = v
		}
	}
	env["PWD"] = l.dir
	maps.Copy(env, j.Env)
	env["FLOWLITE_API_URL"] = w.cfg.APIURL
	env["FLOWLITE_FLOW_RUN_ID"] = r.id().String()
	env["FLOWLITE_RUN_TOKEN"] = r.claim.Token.String()
	env["FLOWLITE_ENTRYPOINT"] = entrypoint
	env["FLOWLITE_WATCH_STDIN"] = "1"
	env[core.LogSocketEnv] = logFD
	if l.handsOver() {
		env[core.FlowRunEnv] = runFD
	}
	authenticate(env, r.claim.Auth)
	if l.python {
		w.pythonEnv(r, entrypoint, l.dir, env)
	}
	if l.group { // a command may be anything: a Prefect engine, a script
		w.prefectEnv(r, env, w.oneURL())
		if p := r.claim.FlowRun.Parameters; len(p) > 0 && len(p) < maxEnv {
			env["FLOWLITE_PARAMETERS"] = string(p)
		}
	}
	if l.python || l.group {
		authenticatePrefect(env)
	}
	all := make([]string, 0, len(env))
	for k, v := range env {
		all = append(all, k+"="+v)
	}
	slices.Sort(all)
	return all
}
