package worker

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// job is what the template makes of the merged variables.
type job struct {
	Command    []string
	Env        map[string]string // without the names that null unsets: for those the worker's own hold
	WorkingDir string
	Python     string // interpreter of a Python flow
	Quiet      bool
}

// variablesOf merges: the template's defaults, the deployment's, the run's.
// Env is merged key by key.
func variablesOf(template core.JSON, layers ...core.JSON) map[string]any {
	vars := map[string]any{}
	if schema, ok := template.Map()["variables"].(map[string]any); ok {
		props, _ := schema["properties"].(map[string]any)
		for name, p := range props {
			if prop, ok := p.(map[string]any); ok {
				if def, ok := prop["default"]; ok && def != nil {
					vars[name] = def
				}
			}
		}
	}
	for _, l := range layers {
		for k, v := range l.Map() {
			env, isMap := v.(map[string]any)
			old, wasMap := vars[k].(map[string]any)
			if k == "env" && isMap && wasMap {
				merged := maps.Clone(old)
				maps.Copy(merged, env)
				v = merged
			}
			vars[k] = v
		}
	}
	return vars
}

var placeholder = regexp.MustCompile(`\{\{\s*([\w.$-]+)\s*\}\}`)

// expand puts variables into a template's text: a text that is one placeholder
// takes the value as it is, and is dropped where there is none.
func expand(v any, lookup func(name string) (any, bool, error)) (any, bool, error) {
	switch t := v.(type) {
	case string:
		if m := placeholder.FindStringSubmatch(t); m != nil && m[0] == strings.TrimSpace(t) {
			return lookup(m[1])
		}
		var failed error
		out := placeholder.ReplaceAllStringFunc(t, func(s string) string {
			x, _, err := lookup(placeholder.FindStringSubmatch(s)[1])
			if err != nil && failed == nil {
				failed = err
			}
			return textOf(x)
		})
		return out, true, failed
	case map[string]any:
		if name, ok := documentOf(t); ok {
			return lookup(name)
		}
		out := make(map[string]any, len(t))
		for k, x := range t {
			y, ok, err := expand(x, lookup)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out[k] = y
			}
		}
		return out, true, nil
	case []any:
		out := make([]any, 0, len(t))
		for _, x := range t {
			y, ok, err := expand(x, lookup)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out = append(out, y)
			}
		}
		return out, true, nil
	}
	return v, true, nil
}

func textOf(v any) string {
	switch t := v.(type) {
	case nil:
		return ""
	case string:
		return t
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// jobOf reads the configuration that template and variables give. server
// resolves what stands outside of both: prefect.variables.NAME and the like.
func jobOf(template core.JSON, vars map[string]any, server func(name string) (v any, known bool, err error)) (*job, error) {
	config, ok := template.Map()["job_configuration"].(map[string]any)
	if !ok || len(config) == 0 {
		config = core.ProcessTemplate.Map()["job_configuration"].(map[string]any)
	}
	var lookup func(depth int) func(name string) (any, bool, error)
	lookup = func(depth int) func(name string) (any, bool, error) {
		return func(name string) (any, bool, error) {
			if strings.HasPrefix(name, "prefect.") || strings.HasPrefix(name, "$") {
				return server(name)
			}
			v, ok := vars[name]
			if !ok || v == nil {
				return nil, false, nil
			}
			if depth > 0 { // a job variable's own text may name others
				return expand(v, lookup(depth-1))
			}
			return v, true, nil
		}
	}
	filled, _, err := expand(config, lookup(2))
	if err != nil {
		return nil, err
	}
	c := filled.(map[string]any)
	j := &job{Env: map[string]string{}}
	switch t := c["command"].(type) {
	case nil:
	case string:
		if s := strings.TrimSpace(t); s != "" {
			j.Command = []string{"/bin/sh", "-c", s}
		}
	case []any:
		for _, a := range t {
			j.Command = append(j.Command, textOf(a))
		}
	default:
		return nil, core.Errorf(core.EInvalid, "job variable command is %s; write a shell line, or a list of program and arguments", textOf(t))
	}
	switch t := c["env"].(type) {
	case nil:
	case map[string]any:
		for k, v := range t {
			if v == nil {
				continue
			}
			if strings.ContainsAny(k, "=\x00") || k == "" {
				return nil, core.Errorf(core.EInvalid, "job variable env has the name %q, which no environment variable can have", k)
			}
			j.Env[k] = textOf(v)
		}
	default:
		return nil, core.Errorf(core.EInvalid, "job variable env is %s; write an object of names and values", textOf(t))
	}
	switch t := c["working_dir"].(type) {
	case nil:
	case string:
		j.WorkingDir = t
	default:
		return nil, core.Errorf(core.EInvalid, "job variable working_dir is %s; write a path", textOf(t))
	}
	named, ok, err := expand("{{ python }}", lookup(2)) // no template needs to mention it
	if err != nil {
		return nil, err
	}
	if j.Python, _ = named.(string); ok && j.Python == "" {
		return nil, core.Errorf(
			core.EInvalid,
			"job variable python is %s; write an interpreter's path, or that of a virtual environment",
			textOf(named),
		)
	}
	if b, ok := c["stream_output"].(bool); ok {
		j.Quiet = !b
	}
	return j, nil
}

func (j *job) String() string { return fmt.Sprint(j.Command) }
