package main

import (
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type configCmd struct {
	Set      configSetCmd      `cmd:"" help:"Change settings of the profile in use"`
	Unset    configUnsetCmd    `cmd:"" help:"Give settings their default again"`
	View     configViewCmd     `cmd:"" help:"Show the settings that hold, and where they come from"`
	Validate configValidateCmd `cmd:"" help:"Look for settings that are unknown or cannot be read"`
}

const poolSetting = "FLOWLITE_DEFAULT_WORK_POOL"

// allSettings are those of the whole grammar.
var allSettings = sync.OnceValue(func() []setting { return settings(parser(&cli{}, "").Model) })

// setting finds one by its name; the name of a flag does as well.
func (a *app) setting(name string) (setting, error) {
	var known []string
	for _, s := range allSettings() {
		if strings.EqualFold(s.name, name) {
			return s, nil
		}
		known = append(known, s.name)
	}
	if slices.Contains(notInProfiles, name) {
		return setting{}, badUsage("%s cannot be set in a profile; set it in the environment", name)
	}
	f := &failure{code: exitUsage, what: name + " is not a setting", hint: "flowlite config view --show-defaults shows all"}
	rest, prefect := strings.CutPrefix(strings.ToUpper(name), "PREFECT_")
	if prefect {
		name = "FLOWLITE_" + rest
		f.why = "settings of Prefect are not read, so that no command talks to a Prefect server by accident"
	}
	if n := nearest(strings.ToUpper(name), known); n != "" {
		f.hint = "did you mean " + n + "?"
	}
	return setting{}, f
}

type configSetCmd struct {
	Settings []string `arg:"" predictor:"assignment" name:"setting" sep:"none" help:"NAME=VALUE, like FLOWLITE_API_URL=http://127.0.0.1:4200/api"`
}

func (c *configSetCmd) Run(a *app) error {
	values := map[string]string{}
	for _, text := range c.Settings {
		name, v, ok := strings.Cut(text, "=")
		if !ok {
			return badUsage("%q is not NAME=VALUE", text)
		}
		s, err := a.setting(name)
		if err != nil {
			return err
		}
		if err := s.check(v); err != nil {
			return err
		}
		values[s.name] = v
	}
	if err := a.setSettings(values); err != nil {
		return err
	}
	return a.saySettings("Set", values)
}

// setSettings changes the profile in use.
func (a *app) setSettings(values map[string]string) error {
	for k, v := range values {
		a.profiles.Profiles[a.profile][k] = v
		if _, ok := os.LookupEnv(k); ok {
			a.out.Note("%s is set in the environment too, which goes before the profile", k)
		}
	}
	return a.profiles.Save()
}

func (a *app) saySettings(done string, values map[string]string) error {
	var names []string
	for k := range values {
		names = append(names, k)
	}
	slices.Sort(names)
	if a.out.ForPeople() {
		return a.out.Say(nil, "", "%s %s in profile %s", done, strings.Join(names, ", "), a.out.Bold(a.profile))
	}
	return a.out.List(core.ToJSON(a.profileRow(a.profile, false)), nil, names)
}

type configUnsetCmd struct {
	Names []string `arg:"" name:"setting" predictor:"setting" help:"names of settings"`
	Yes   bool     `short:"y" hidden:""` // Prefect asks
}

func (c *configUnsetCmd) Run(a *app) error {
	values := map[string]string{}
	for _, name := range c.Names {
		key := strings.ToUpper(name)
		if _, ok := a.profiles.Profiles[a.profile][key]; !ok {
			if _, err := a.setting(name); err != nil {
				return err
			}
			return &failure{code: exitFailed, what: key + " is not set in profile " + a.profile, hint: "flowlite config view shows what is"}
		}
		values[key] = ""
	}
	for k := range values {
		delete(a.profiles.Profiles[a.profile], k)
	}
	if err := a.profiles.Save(); err != nil {
		return err
	}
	return a.saySettings("Unset", values)
}

type configViewCmd struct {
	Defaults bool `name:"show-defaults" negatable:"hide-defaults" help:"also the settings that nobody changed"`
	Sources  bool `name:"show-sources" negatable:"hide-sources" default:"true" help:"where each comes from"`
	Secrets  bool `name:"show-secrets" negatable:"hide-secrets" help:"print credentials in the clear"`
}

type settingRow struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	Source  string `json:"source"`
}

func (c *configViewCmd) Run(a *app) error {
	rows := []settingRow{{"FLOWLITE_PROFILE", a.profile, a.profileSource()}}
	for _, s := range allSettings() {
		r := settingRow{Setting: s.name, Value: s.flag.Default, Source: "default"}
		if v, ok := os.LookupEnv(s.name); ok {
			r.Value, r.Source = v, "environment"
		} else if v, ok := a.profiles.Profiles[a.profile][s.name]; ok {
			r.Value, r.Source = v, "profile "+a.profile
		}
		if r.Source == "default" && !c.Defaults {
			continue
		}
		r.Value = s.shown(r.Value, c.Secrets)
		rows = append(rows, r)
	}
	t := &out.Table{Columns: []out.Column{{Name: "setting", Keep: true}, {Name: "value", Keep: true}}}
	if c.Sources {
		t.Columns = append(t.Columns, out.Column{Name: "source"})
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Setting)
		t.Rows = append(t.Rows, []string{r.Setting, r.Value, r.Source}[:len(t.Columns)])
	}
	return a.out.List(core.ToJSON(rows), t, names)
}

func (a *app) profileSource() string {
	switch {
	case a.profile == a.cli.Profile && os.Getenv("FLOWLITE_PROFILE") != a.profile:
		return "--profile"
	case os.Getenv("FLOWLITE_PROFILE") == a.profile:
		return "environment"
	}
	return a.profiles.Path()
}

type configValidateCmd struct{}

func (c *configValidateCmd) Run(a *app) error {
	bad := 0
	for _, p := range a.profiles.Names() {
		for name, v := range a.profiles.Profiles[p] {
			s, err := a.setting(name)
			if err == nil {
				err = s.check(v)
			}
			if err != nil {
				bad++
				a.out.Note("profile %s: %v", p, err)
			}
		}
	}
	for _, text := range os.Environ() {
		name, v, _ := strings.Cut(text, "=")
		if s, err := a.setting(name); err == nil && strings.HasPrefix(name, "FLOWLITE_") {
			if err := s.check(v); err != nil {
				bad++
				a.out.Note("environment: %v", err)
			}
		}
	}
	if bad > 0 {
		return &failure{code: exitFailed, what: "some settings are wrong", hint: "flowlite config set NAME=VALUE, or flowlite config unset NAME"}
	}
	return a.out.Say(core.ToJSON(map[string]any{"valid": true, "profiles": a.profiles.Names()}), "valid", "All settings are valid")
}
