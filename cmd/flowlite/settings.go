package main

import (
	"cmp"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/profile"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

// home is the folder of the person's data, and of profiles.
func home() string {
	if h := os.Getenv("FLOWLITE_HOME"); h != "" {
		return h
	}
	user, _ := os.UserHomeDir()
	return filepath.Join(user, ".flowlite")
}

// setting is a flag that the environment and profiles may set as well.
type setting struct {
	name string
	flag *kong.Flag
}

// notInProfiles: where profiles lie, and which one it is, cannot stand in one.
var notInProfiles = []string{"FLOWLITE_HOME", "FLOWLITE_PROFILE"}

// settings are those of the whole grammar, by name.
func settings(app *kong.Application) []setting {
	seen := map[string]bool{}
	var all []setting
	_ = kong.Visit(app, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			for _, env := range f.Envs {
				if !seen[env] && !slices.Contains(notInProfiles, env) {
					seen[env] = true
					all = append(all, setting{env, f})
				}
			}
		}
		return next(nil)
	})
	slices.SortFunc(all, func(x, y setting) int { return cmp.Compare(x.name, y.name) })
	return all
}

// check says why a value cannot be the setting's; nil if it can.
func (s setting) check(value string) error {
	target := reflect.New(s.flag.Target.Type()).Elem()
	if err := s.flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), target); err != nil {
		return badUsage("%s: %v", s.name, err)
	}
	if s.flag.Enum != "" && !s.flag.EnumMap()[value] {
		return badUsage("%s cannot be %q; it is one of %s", s.name, value, s.flag.Enum)
	}
	if s.name == "FLOWLITE_API_URL" {
		if err := client.CheckServers(value); err != nil {
			return badUsage("%s: %v", s.name, err)
		}
	}
	return nil
}

// shown hides what is not for the eyes of those who look over a shoulder.
func (s setting) shown(value string, secrets bool) string {
	switch {
	case secrets || value == "":
		return value
	case strings.HasSuffix(s.name, "_AUTH_STRING"), strings.HasSuffix(s.name, "_KEY"):
		return "********"
	}
	return core.HideURL(value)
}

// resolver gives flags that neither the command line nor the environment set
// their value of the profile.
type resolver struct {
	app  *app
	file *profile.File
	err  error
}

func (r *resolver) Validate(*kong.Application) error { return nil }

func (r *resolver) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if r.file == nil && r.err == nil {
		r.err = r.choose(ctx)
	}
	if r.err != nil {
		return nil, r.err
	}
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return nil, nil
		}
	}
	for _, env := range flag.Envs {
		if v, ok := r.file.Profiles[r.app.profile][env]; ok && !slices.Contains(notInProfiles, env) {
			return v, nil
		}
	}
	return nil, nil
}

func (r *resolver) choose(ctx *kong.Context) (err error) {
	if r.file, err = profile.Load(home()); err != nil {
		return badUsage("the profiles cannot be read: %v", err)
	}
	name := cmp.Or(os.Getenv("FLOWLITE_PROFILE"), r.file.Active)
	for _, p := range ctx.Path {
		if p.Flag != nil && p.Flag.Name == "profile" {
			name, _ = ctx.FlagValue(p.Flag).(string)
		}
	}
	r.app.profiles, r.app.profile = r.file, name
	managing := len(ctx.Path) > 1 && ctx.Path[1].Command != nil && ctx.Path[1].Command.Name == "profile"
	if !r.file.Has(name) && !managing {
		return &failure{
			code: exitUsage,
			what: "there is no profile " + name,
			hint: "flowlite profile ls shows those there are; " + core.ShellCommand("flowlite", "profile", "create", name) + " makes it",
		}
	}
	return nil
}
