package python

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Source is where a deployment has its code.
type Source struct {
	Dir        string // what it runs in; empty: a folder of its own, which the engine fills
	Entrypoint string // what the engine loads; empty: it asks the deployment
}

// SourceOf finds a deployment's code. Folders that are here are used as they
// are, without the engine's copying and asking; anything else is the engine's
// to fetch. workingDir is the job variable, base what relative paths start from.
func SourceOf(d *core.Deployment, workingDir, base string) Source {
	abs := func(p string) string {
		if filepath.IsAbs(p) {
			return filepath.Clean(p)
		}
		return filepath.Join(base, p)
	}
	var pull []map[string]json.RawMessage
	_ = json.Unmarshal(d.PullSteps, &pull)
	entrypoint, path := core.Deref(d.Entrypoint), core.Deref(d.Path)
	here := ""
	if workingDir != "" {
		here = abs(workingDir)
	}
	switch {
	case len(pull) > 0:
		dir, ok := onlyDirectories(pull)
		if !ok {
			return Source{Dir: here}
		}
		return Source{Dir: abs(dir), Entrypoint: entrypoint}
	case !d.StorageDocumentID.IsZero() || strings.Contains(path, "$STORAGE_BASE_PATH"):
		return Source{Dir: here}
	case here == "" || here == abs(path) || path == "":
		if here == "" {
			here = abs(path)
		}
		return Source{Dir: here, Entrypoint: entrypoint}
	case !filepath.IsAbs(path):
		return Source{Dir: filepath.Join(here, path), Entrypoint: entrypoint}
	}
	if file, name, ok := strings.Cut(entrypoint, ":"); ok && !filepath.IsAbs(file) {
		entrypoint = filepath.Join(abs(path), file) + ":" + name
	}
	return Source{Dir: here, Entrypoint: entrypoint}
}

// onlyDirectories says whether all that the pull steps do is to change the
// directory, which is what `prefect deploy` writes for code on this machine.
func onlyDirectories(steps []map[string]json.RawMessage) (dir string, ok bool) {
	for _, s := range steps {
		raw, is := s["prefect.deployments.steps.set_working_directory"]
		if !is || len(s) != 1 {
			return "", false
		}
		var in map[string]any
		if core.Unmarshal(raw, &in) != nil || len(in) != 1 {
			return "", false
		}
		to, _ := in["directory"].(string)
		if to == "" || strings.Contains(to, "{{") {
			return "", false
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		dir = to
	}
	return dir, dir != ""
}
