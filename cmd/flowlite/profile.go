package main

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/cmd/flowlite/internal/profile"
	"github.com/flowlite/flowlite/runtime/core"
)

type profileCmd struct {
	Ls      profileLsCmd      `cmd:"" aliases:"list" help:"List profiles"`
	Create  profileCreateCmd  `cmd:"" help:"Make a profile"`
	Use     profileUseCmd     `cmd:"" help:"Use a profile from now on"`
	Inspect profileInspectCmd `cmd:"" help:"Show a profile's settings"`
	Delete  profileDeleteCmd  `cmd:"" help:"Delete a profile"`
	Rename  profileRenameCmd  `cmd:"" help:"Give a profile another name"`
}

type profileLsCmd struct{}

// profileRow is a profile as -o json tells it.
type profileRow struct {
	Name     string            `json:"name"`
	Active   bool              `json:"active"`
	Settings map[string]string `json:"settings"`
}

func (a *app) profileRow(name string, secrets bool) profileRow {
	r := profileRow{Name: name, Active: name == a.profile, Settings: map[string]string{}}
	for k, v := range a.profiles.Profiles[name] {
		r.Settings[k] = setting{name: k}.shown(v, secrets)
	}
	return r
}

func (c *profileLsCmd) Run(a *app) error {
	rows := []profileRow{}
	names := a.profiles.Names()
	t := &out.Table{Columns: []out.Column{{Name: "name", Keep: true}, {Name: "active"}, {Name: "server"}}}
	for _, n := range names {
		r := a.profileRow(n, false)
		rows = append(rows, r)
		active := ""
		if r.Active {
			active = "active"
		}
		t.Rows = append(t.Rows, []string{n, active, r.Settings["FLOWLITE_API_URL"]})
	}
	return a.out.List(core.ToJSON(rows), t, names)
}

type profileRef struct {
	Name string `arg:"" predictor:"profile" help:"name of the profile"`
}

func (r profileRef) check(a *app) error {
	if a.profiles.Has(r.Name) {
		return nil
	}
	f := &failure{code: exitNotFound, what: "there is no profile " + r.Name, hint: "flowlite profile ls shows those there are"}
	if n := nearest(r.Name, a.profiles.Names()); n != "" {
		f.hint = "did you mean " + n + "?"
	}
	return f
}

// free says whether a new profile may have the name.
func (a *app) freeProfile(name string) error {
	if err := profile.Check(name); err != nil {
		return badUsage("%v", err)
	}
	if a.profiles.Has(name) {
		return &failure{
			code: exitFailed,
			what: "there is a profile " + name + " already",
			hint: core.ShellCommand("flowlite", "profile", "use", name),
		}
	}
	return nil
}

type profileCreateCmd struct {
	Name string `arg:"" help:"name of the profile"`
	From string `predictor:"profile" help:"begin with the settings of this profile"`
}

func (c *profileCreateCmd) Run(a *app) error {
	if err := a.freeProfile(c.Name); err != nil {
		return err
	}
	values := map[string]string{}
	if c.From != "" {
		if err := (profileRef{c.From}).check(a); err != nil {
			return err
		}
		maps.Copy(values, a.profiles.Profiles[c.From])
	}
	a.profiles.Profiles[c.Name] = values
	if err := a.profiles.Save(); err != nil {
		return err
	}
	err := a.out.Say(core.ToJSON(a.profileRow(c.Name, false)), c.Name, "Created profile %s", a.out.Bold(c.Name))
	if err == nil && a.out.ForPeople() {
		a.out.Hint("flowlite profile use %s; flowlite config set FLOWLITE_API_URL=http://host:4200/api", core.ShellWord(c.Name))
	}
	return err
}

type profileUseCmd struct{ profileRef }

func (c *profileUseCmd) Run(a *app) error {
	if err := c.check(a); err != nil {
		return err
	}
	a.profiles.Active = c.Name
	if err := a.profiles.Save(); err != nil {
		return err
	}
	a.profile = c.Name
	if err := a.out.Say(
		core.ToJSON(a.profileRow(c.Name, false)),
		c.Name,
		"Using profile %s",
		a.out.Bold(c.Name),
	); err != nil ||
		!a.out.ForPeople() {
		return err
	}
	for _, k := range []string{"FLOWLITE_API_URL", "FLOWLITE_PROFILE"} {
		if v, ok := os.LookupEnv(k); ok {
			a.out.Note("%s=%s is set in the environment, which goes before the profile", k, v)
		}
	}
	values := a.profiles.Profiles[c.Name]
	base := values["FLOWLITE_API_URL"]
	if base == "" {
		base = defaultAPI
	}
	ctx, cancel := context.WithTimeout(a.ctx, 2*time.Second)
	defer cancel()
	if err := newAPI(base, values["FLOWLITE_AUTH_STRING"]).once.Health(ctx); err != nil {
		a.out.Note("no server answers at %s just now", base)
	} else {
		a.out.Note("connected to %s", base)
	}
	return nil
}

type profileInspectCmd struct {
	Name    string `arg:"" optional:"" predictor:"profile" help:"name of the profile; default: that in use"`
	Secrets bool   `name:"show-secrets" help:"print credentials in the clear"`
}

func (c *profileInspectCmd) Run(a *app) error {
	if c.Name == "" {
		c.Name = a.profile
	}
	if err := (profileRef{c.Name}).check(a); err != nil {
		return err
	}
	r := a.profileRow(c.Name, c.Secrets)
	fields := []out.Field{{Name: "Name", Value: a.out.Bold(r.Name)}, {Name: "Active", Value: yesNo(r.Active)}}
	for _, k := range slices.Sorted(maps.Keys(r.Settings)) {
		fields = append(fields, out.Field{Name: k, Value: r.Settings[k]})
	}
	return a.out.Record(core.ToJSON(r), r.Name, fields)
}

type profileDeleteCmd struct {
	profileRef
	yesFlag
}

func (c *profileDeleteCmd) Run(a *app) error {
	if err := c.check(a); err != nil {
		return err
	}
	if c.Name == a.profile || c.Name == a.profiles.Active {
		return &failure{code: exitFailed, what: "profile " + c.Name + " is in use", hint: "use another one first: flowlite profile use NAME"}
	}
	if err := a.confirm(c.Yes, "Delete profile "+c.Name+"?"); err != nil {
		return err
	}
	row := a.profileRow(c.Name, false)
	delete(a.profiles.Profiles, c.Name)
	if err := a.profiles.Save(); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(row), c.Name, "Deleted profile %s", c.Name)
}

type profileRenameCmd struct {
	profileRef
	To string `arg:"" help:"the new name"`
}

func (c *profileRenameCmd) Run(a *app) error {
	if err := c.check(a); err != nil {
		return err
	}
	if err := a.freeProfile(c.To); err != nil {
		return err
	}
	f := a.profiles
	f.Profiles[c.To] = f.Profiles[c.Name]
	delete(f.Profiles, c.Name)
	if f.Active == c.Name {
		f.Active = c.To
	}
	if a.profile == c.Name {
		a.profile = c.To
	}
	if err := f.Save(); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(a.profileRow(c.To, false)), c.To, "Renamed profile %s to %s", c.Name, a.out.Bold(c.To))
}
