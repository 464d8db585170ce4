package main

import (
	"strconv"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type globalLimitCmd struct {
	Create  globalLimitCreateCmd  `cmd:"" help:"Make a limit"`
	Ls      globalLimitLsCmd      `cmd:"" aliases:"list" help:"List limits"`
	Inspect globalLimitInspectCmd `cmd:"" help:"Show a limit"`
	Update  globalLimitUpdateCmd  `cmd:"" help:"Change a limit"`
	Enable  globalLimitEnableCmd  `cmd:"" help:"Let a limit hold again"`
	Disable globalLimitDisableCmd `cmd:"" help:"Let everybody in, and count nobody"`
	Delete  globalLimitDeleteCmd  `cmd:"" help:"Delete a limit"`
}

type globalLimitRef struct {
	Name string `arg:"" predictor:"gcl" help:"name or id of the limit"`
}

func (r globalLimitRef) path() string { return "/v2/concurrency_limits/" + esc(r.Name) }

func (r globalLimitRef) get(a *app) (*core.GlobalConcurrencyLimit, core.JSON, error) {
	l, raw, err := ask[*core.GlobalConcurrencyLimit](a, "GET", r.path(), nil)
	if core.IsNotFound(err) {
		err = &failure{code: exitNotFound, what: "no global limit " + r.Name, hint: "flowlite gcl ls shows all"}
	}
	return l, raw, err
}

// change says done with the limit as it is then.
func (r globalLimitRef) change(a *app, body map[string]any, done string) error {
	l, _, err := r.get(a)
	if err != nil {
		return err
	}
	// By its id: the change may be one of its name.
	byID := globalLimitRef{Name: l.ID.String()}
	if _, err := a.api.call(a.ctx, "PATCH", byID.path(), body); err != nil {
		return err
	}
	l, raw, err := byID.get(a)
	if err != nil {
		return err
	}
	return a.out.Say(raw, l.Name, "%s %s", done, l.Name)
}

type globalLimitCreateCmd struct {
	Name     string  `arg:"" help:"name that code asks for"`
	Limit    int64   `short:"l" required:"" help:"slots"`
	Decay    float64 `name:"slot-decay-per-second" help:"slots that return by themselves each second: a rate limit"`
	Disabled bool    `name:"disable" help:"make it without letting it hold"`
}

func (c *globalLimitCreateCmd) Run(a *app) error {
	l, raw, err := ask[*core.GlobalConcurrencyLimit](a, "POST", "/v2/concurrency_limits/",
		map[string]any{"name": c.Name, "limit": c.Limit, "slot_decay_per_second": c.Decay, "active": !c.Disabled})
	if core.CodeOf(err) == core.EConflict {
		return &failure{code: exitFailed, what: "there is a limit " + c.Name + " already", hint: "change it with `flowlite gcl update`"}
	}
	if err != nil {
		return err
	}
	return a.out.Say(raw, l.Name, "Created %s", l.Name)
}

type globalLimitLsCmd struct{ pageFlags }

func (c *globalLimitLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.GlobalConcurrencyLimit](a, "POST", "/v2/concurrency_limits/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty: "no global limits",
		Columns: []out.Column{
			{Name: "name", Keep: true},
			{Name: "limit"},
			{Name: "occupied"},
			{Name: "decay"},
			{Name: "holds"},
			{Name: "updated"},
		},
	}
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
		t.Rows = append(
			t.Rows,
			[]string{l.Name, strconv.FormatInt(l.Limit, 10), strconv.FormatInt(l.ActiveSlots, 10), decay(l), yesNo(l.Active), a.out.Ago(l.Updated)},
		)
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

func decay(l *core.GlobalConcurrencyLimit) string {
	if l.SlotDecayPerSecond == 0 {
		return ""
	}
	return strconv.FormatFloat(l.SlotDecayPerSecond, 'g', -1, 64) + "/s"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type globalLimitInspectCmd struct{ globalLimitRef }

func (c *globalLimitInspectCmd) Run(a *app) error {
	l, raw, err := c.get(a)
	if err != nil {
		return err
	}
	return a.out.Record(raw, l.Name, []out.Field{
		{Name: "Name", Value: a.out.Bold(l.Name)},
		{Name: "Id", Value: l.ID.String()},
		{
			Name:  "Limit",
			Value: strconv.FormatInt(l.Limit, 10),
		},
		{Name: "Occupied", Value: strconv.FormatInt(l.ActiveSlots, 10)},
		{Name: "Decay", Value: decay(l)},
		{
			Name:  "Holds",
			Value: yesNo(l.Active),
		},
		{Name: "Created", Value: a.out.Full(l.Created)},
		{Name: "Updated", Value: a.out.Full(l.Updated)},
	})
}

type globalLimitUpdateCmd struct {
	globalLimitRef
	Rename string   `name:"name" help:"another name"`
	Limit  *int64   `short:"l" help:"slots"`
	Active *int64   `name:"active-slots" help:"forget what is held without a lease, and count so many as occupied"`
	Decay  *float64 `name:"slot-decay-per-second" help:"slots that return by themselves each second"`
}

func (c *globalLimitUpdateCmd) Run(a *app) error {
	body := map[string]any{}
	if c.Rename != "" {
		body["name"] = c.Rename
	}
	if c.Limit != nil {
		body["limit"] = *c.Limit
	}
	if c.Active != nil {
		body["active_slots"] = *c.Active
	}
	if c.Decay != nil {
		body["slot_decay_per_second"] = *c.Decay
	}
	if len(body) == 0 {
		return badUsage("say what to change: --limit, --name, --active-slots or --slot-decay-per-second")
	}
	return c.change(a, body, "Updated")
}

type globalLimitEnableCmd struct{ globalLimitRef }

func (c *globalLimitEnableCmd) Run(a *app) error {
	return c.change(a, map[string]any{"active": true}, "Enabled")
}

type globalLimitDisableCmd struct{ globalLimitRef }

func (c *globalLimitDisableCmd) Run(a *app) error {
	return c.change(a, map[string]any{"active": false}, "Disabled")
}

type globalLimitDeleteCmd struct {
	globalLimitRef
	Yes bool `short:"y" help:"do not ask"`
}

func (c *globalLimitDeleteCmd) Run(a *app) error {
	l, raw, err := c.get(a)
	if err != nil {
		return err
	}
	if err := a.confirm(c.Yes, "Delete the limit "+l.Name+"?"); err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "DELETE", c.path(), nil); err != nil {
		return err
	}
	return a.out.Say(raw, l.Name, "Deleted %s", l.Name)
}
