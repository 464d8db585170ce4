package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"github.com/flowlite/flowlite/runtime/core"
)

// deployFile is a flowlite.yaml; it has the keys of a prefect.yaml.
type deployFile struct {
	Name           string       `yaml:"name"`
	PrefectVersion string       `yaml:"prefect-version"`
	Definitions    any          `yaml:"definitions"`
	Build          any          `yaml:"build"`
	Push           any          `yaml:"push"`
	Pull           any          `yaml:"pull"`
	Deployments    []deploySpec `yaml:"deployments"`
}

// deploySpec is what is said of one deployment, in a file or by flags.
type deploySpec struct {
	Name        string     `yaml:"name"`
	FlowName    string     `yaml:"flow_name"`
	Version     string     `yaml:"version"`
	Description string     `yaml:"description"`
	Entrypoint  string     `yaml:"entrypoint"`
	Tags        []string   `yaml:"tags"`
	Parameters  yamlJSON   `yaml:"parameters"`
	Pool        poolSpec   `yaml:"work_pool"`
	Schedule    yamlJSON   `yaml:"schedule"`
	Schedules   []yamlJSON `yaml:"schedules"`
	Concurrency any        `yaml:"concurrency_limit"`
	Enforce     *bool      `yaml:"enforce_parameter_schema"`
	Paused      *bool      `yaml:"paused"`
	Build       any        `yaml:"build"`
	Push        any        `yaml:"push"`
	Pull        any        `yaml:"pull"`
	Triggers    []any      `yaml:"triggers"`
}

type poolSpec struct {
	Name         string   `yaml:"name"`
	Queue        string   `yaml:"work_queue_name"`
	JobVariables yamlJSON `yaml:"job_variables"`
}

// readDeployFile reads a file strictly: what is not understood is an error,
// for a key that is left out silently is found out at night.
func readDeployFile(name string) (*deployFile, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		f := &failure{
			code: exitUsage,
			what: "there is no " + name,
			hint: "flowlite init writes one; or say an entrypoint: flowlite deploy flows/adder.go:Adder",
		}
		if other := filepath.Join(filepath.Dir(name), "prefect.yaml"); name != other {
			if _, err := os.Stat(other); err == nil {
				f.hint = core.ShellCommand("flowlite", "deploy", "--config", other) + " reads Prefect's"
			}
		}
		return nil, f
	}
	if err != nil {
		return nil, badUsage("%v", err)
	}
	var n yaml.Node
	if err := yaml.Unmarshal(b, &n); err != nil {
		return nil, badUsage("%s: %v", name, err)
	}
	if err := expand(&n); err != nil {
		return nil, badUsage("%s: %v", name, err)
	}
	f := &deployFile{}
	if unknown := unknownKey(&n, reflect.TypeOf(f)); unknown != nil {
		unknown.what = name + ": " + unknown.what
		return nil, unknown
	}
	if err := n.Decode(f); err != nil {
		return nil, badUsage("%s: %s", name, yamlTypes(err.Error()))
	}
	for i, s := range f.Deployments {
		if s.Name == "" || s.Entrypoint == "" {
			return nil, badUsage("%s: deployment %d needs a name and an entrypoint", name, i+1)
		}
		if len(s.Triggers) > 0 {
			return nil, badUsage(
				"%s: triggers of %s are not made by deploy; make an automation of them: flowlite automation create --from-file",
				name,
				s.Name,
			)
		}
	}
	return f, nil
}

var environment = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{\s*\$([A-Za-z_][A-Za-z0-9_]*)\s*\}\}`) })

// expand puts variables of the environment in place of {{ $NAME }}.
func expand(n *yaml.Node) error {
	var missing string
	if n.Kind == yaml.ScalarNode {
		n.Value = environment().ReplaceAllStringFunc(n.Value, func(s string) string {
			name := environment().FindStringSubmatch(s)[1]
			v, ok := os.LookupEnv(name)
			if !ok {
				missing = name
			}
			return v
		})
	}
	if missing != "" {
		return fmt.Errorf("line %d: there is no %s in the environment", n.Line, missing)
	}
	for _, c := range n.Content {
		if err := expand(c); err != nil {
			return err
		}
	}
	return nil
}

// choose picks the deployments of the file: all, those that the names say
// (NAME or FLOW/NAME, with * as in a shell), or the only one.
func (f *deployFile) choose(file string, all bool, names []string) ([]deploySpec, error) {
	var have []string
	for _, s := range f.Deployments {
		have = append(have, s.Name)
	}
	switch {
	case len(f.Deployments) == 0:
		return nil, badUsage("%s has no deployments", file)
	case all || len(names) == 0 && len(have) == 1:
		return f.Deployments, nil
	case len(names) == 0:
		return nil, &failure{
			code: exitUsage,
			what: fmt.Sprintf("%s has %d deployments", file, len(have)),
			hint: "say --all, or -n with one of " + strings.Join(have, ", "),
		}
	}
	var chosen []deploySpec
	for _, name := range names {
		n := len(chosen)
		for _, s := range f.Deployments {
			if matches(name, s) {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == n {
			e := &failure{code: exitNotFound, what: file + " has no deployment " + name, hint: "it has " + strings.Join(have, ", ")}
			if best := nearest(name, have); best != "" {
				e.hint = "did you mean " + best + "?"
			}
			return nil, e
		}
	}
	return chosen, nil
}

func matches(pattern string, s deploySpec) bool {
	if flow, name, full := strings.Cut(pattern, "/"); full {
		own := cmp.Or(s.FlowName, s.Entrypoint[strings.LastIndexByte(s.Entrypoint, ':')+1:])
		ok, _ := path.Match(strings.ToLower(flow), strings.ToLower(own))
		if !ok {
			return false
		}
		pattern = name
	}
	ok, _ := path.Match(pattern, s.Name)
	return ok
}

// rules are the schedules as the API takes them.
func (s *deploySpec) rules() (list []core.ScheduleCreate, err error) {
	all := s.Schedules
	if len(s.Schedule.object()) > 0 {
		all = append([]yamlJSON{s.Schedule}, all...)
	}
	for _, m := range all {
		rule := core.Object{}
		c := core.ScheduleCreate{}
		for _, part := range m.object() {
			k, v := part.Key, part.Value.(core.JSON)
			if v.IsNull() {
				continue
			}
			switch k {
			case "active":
				var b bool
				if json.Unmarshal(v, &b) != nil {
					return nil, badUsage("deployment %s: active of a schedule is true or false", s.Name)
				}
				c.Active = core.Some(b)
			case "max_scheduled_runs":
				var n int64
				if json.Unmarshal(v, &n) != nil {
					return nil, badUsage("deployment %s: max_scheduled_runs is a number", s.Name)
				}
				c.MaxScheduledRuns = &n
			case "parameters":
				c.Parameters = v
			case "slug":
				c.Slug = core.Ptr(textOf(v))
			case "interval":
				d, err := parseLength(textOf(v))
				if err != nil {
					return nil, badUsage("deployment %s: interval: %v", s.Name, err)
				}
				rule.Set(k, d.Seconds())
			default:
				rule.Set(k, v)
			}
		}
		c.Rule = rule.JSON()
		if _, err := nextDates(c.Rule); err != nil {
			return nil, badUsage("deployment %s: %v", s.Name, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// textOf is a text without its quotes, and any other value as it is written.
func textOf(v core.JSON) string {
	var text string
	if json.Unmarshal(v, &text) != nil {
		return string(v)
	}
	return text
}

// limits are the concurrency limit and what happens when it is full.
func (s *deploySpec) limits(c *core.DeploymentCreate) error {
	limit, strategy := s.Concurrency, any(nil)
	if m, ok := limit.(map[string]any); ok {
		limit, strategy = m["limit"], m["collision_strategy"]
	}
	switch n := limit.(type) {
	case nil:
	case int:
		c.ConcurrencyLimit = core.Some(int64(n))
	default:
		return badUsage("deployment %s: concurrency_limit is a number, or {limit: N, collision_strategy: ENQUEUE|CANCEL_NEW}", s.Name)
	}
	if strategy != nil {
		text := strings.ToUpper(fmt.Sprint(strategy))
		if !slices.Contains([]string{"ENQUEUE", "CANCEL_NEW"}, text) {
			return badUsage("deployment %s: collision_strategy is ENQUEUE or CANCEL_NEW, not %v", s.Name, strategy)
		}
		c.ConcurrencyOptions = core.Some(core.ConcurrencyOptions{CollisionStrategy: text})
	}
	return nil
}
