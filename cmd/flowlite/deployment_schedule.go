package main

import (
	"fmt"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
)

type scheduleCmd struct {
	Create scheduleCreateCmd `cmd:"" help:"Add a schedule to a deployment"`
	Ls     scheduleLsCmd     `cmd:"" aliases:"list" help:"List the schedules of a deployment"`
	Pause  schedulePauseCmd  `cmd:"" help:"Stop a schedule"`
	Resume scheduleResumeCmd `cmd:"" help:"Let a schedule go on"`
	Delete scheduleDeleteCmd `cmd:"" help:"Delete a schedule"`
	Clear  scheduleClearCmd  `cmd:"" help:"Delete all schedules of a deployment"`
}

// nextDates are the next three of a rule. What it refuses is said by its key.
func nextDates(rule core.JSON) ([]core.Time, error) {
	r, err := schedule.Parse(rule)
	if err != nil {
		return nil, err
	}
	return r.Between(core.Now(), 0, 3), nil
}

type scheduleCreateCmd struct {
	deploymentRef
	yesFlag
	Cron     string `xor:"rule" help:"when: '0 9 * * 1-5'"`
	Interval string `xor:"rule" help:"every: 15m, 1h30m, '10 min' or seconds"`
	RRule    string `name:"rrule" xor:"rule" help:"when: FREQ=DAILY;BYHOUR=9"`
	Anchor   string `name:"anchor-date" placeholder:"TIME" help:"what an interval is counted from: 2026-11-23T09:00:00Z"`
	DayOr    bool   `name:"day_or" aliases:"day-or" default:"true" negatable:"" help:"cron: on one of the days of month and week, not only on both"`
	Timezone string `help:"Europe/Berlin; default: UTC"`
	Active   bool   `default:"true" negatable:"" help:"let it begin at once"`
	Replace  bool   `help:"put it in place of all that the deployment has"`
	Slug     string `help:"a name for it"`
}

func (c *scheduleCreateCmd) rule() (core.JSON, error) {
	m := map[string]any{}
	switch {
	case c.Cron != "":
		m["cron"] = c.Cron
		if !c.DayOr {
			m["day_or"] = false
		}
	case c.Interval != "":
		d, err := parseLength(c.Interval)
		if err != nil {
			return nil, badUsage("--interval: %v", err)
		}
		m["interval"] = d.Seconds()
	case c.RRule != "":
		m["rrule"] = c.RRule
	default:
		return nil, badUsage("say when: --cron '0 9 * * 1-5', --interval 15m or --rrule 'FREQ=DAILY;BYHOUR=9'")
	}
	if c.Anchor != "" {
		if c.Interval == "" {
			return nil, badUsage("--anchor-date belongs to --interval")
		}
		m["anchor_date"] = c.Anchor
	}
	if c.Timezone != "" {
		m["timezone"] = c.Timezone
	}
	return core.ToJSON(m), nil
}

func (c *scheduleCreateCmd) Run(a *app) error {
	rule, err := c.rule()
	if err != nil {
		return err
	}
	parsed, err := schedule.Parse(rule)
	if err != nil {
		return badUsage("%v", err)
	}
	if why := parsed.Ended(core.Now()); why != "" {
		return &failure{code: exitUsage, what: "such a schedule never fires again", why: why}
	}
	d, _, err := a.deployment(c.Name)
	if err != nil {
		return err
	}
	if c.Replace && len(d.Schedules) > 0 {
		if err := a.confirm(c.Yes, fmt.Sprintf("Replace %s of %s?", count(len(d.Schedules), "schedule"), d.FullName())); err != nil {
			return err
		}
	}
	body := core.ScheduleCreate{Rule: rule, Active: core.Some(c.Active)}
	if c.Slug != "" {
		body.Slug = &c.Slug
	}
	made, raw, err := a.addSchedule(d, body, c.Replace)
	if err != nil {
		return err
	}
	if err := a.out.Say(
		raw,
		made[0].ID.String(),
		"Created schedule %s of %s: %s",
		short(made[0].ID),
		a.out.Bold(d.FullName()),
		describeSchedule(made[0]),
	); err != nil ||
		!a.out.ForPeople() {
		return err
	}
	for _, t := range parsed.Between(core.Now(), 0, 3) {
		a.out.Note("  next: %s", a.out.Full(t))
	}
	if d.Paused {
		a.out.Hint("the deployment is paused: flowlite deployment resume %s", core.ShellWord(d.FullName()))
	}
	return nil
}

// addSchedule adds a schedule, or puts it in place of all others in one request:
// between two, a slot would have two runs or none.
func (a *app) addSchedule(d *core.Deployment, s core.ScheduleCreate, replace bool) (made []*core.Schedule, raw core.JSON, err error) {
	if !replace {
		return ask[[]*core.Schedule](a, "POST", schedulesPath(d), []core.ScheduleCreate{s})
	}
	d, _, err = ask[*core.Deployment](a, "POST", "/deployments/",
		core.DeploymentCreate{Name: d.Name, FlowID: d.FlowID, Schedules: core.Some([]core.ScheduleCreate{s})})
	if err != nil {
		return nil, nil, err
	}
	return d.Schedules, core.ToJSON(d.Schedules), nil
}

type scheduleLsCmd struct{ deploymentRef }

func (c *scheduleLsCmd) Run(a *app) error {
	d, _, err := a.deployment(c.Name)
	if err != nil {
		return err
	}
	raw, err := a.api.call(a.ctx, "GET", schedulesPath(d), nil)
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty:   "no schedules",
		Columns: []out.Column{{Name: "id", Keep: true}, {Name: "schedule", Keep: true}, {Name: "active"}, {Name: "next"}, {Name: "slug"}},
	}
	var names []string
	for _, s := range d.Schedules {
		next := ""
		if dates, err := nextDates(s.Rule); err == nil && len(dates) > 0 && s.Active && !d.Paused {
			next = a.out.Ago(dates[0])
		}
		names = append(names, s.ID.String())
		t.Rows = append(t.Rows, []string{s.ID.String(), describeRule(s), yesNo(s.Active), next, core.Deref(s.Slug)})
	}
	return a.out.List(raw, t, names)
}

type scheduleRef struct {
	deploymentRef
	ID string `arg:"" name:"schedule" help:"id of the schedule, a unique prefix of it, or its slug"`
}

// find answers with the deployment and its schedule.
func (r scheduleRef) find(a *app) (*core.Deployment, *core.Schedule, error) {
	d, _, err := a.deployment(r.Name)
	if err != nil {
		return nil, nil, err
	}
	var found []*core.Schedule
	for _, s := range d.Schedules {
		if s.ID.String() == strings.ToLower(r.ID) || core.Deref(s.Slug) == r.ID {
			found = []*core.Schedule{s}
			break
		}
		if prefixOfID(r.ID) && strings.HasPrefix(s.ID.String(), strings.ToLower(r.ID)) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return nil, nil, &failure{
			code: exitNotFound,
			what: fmt.Sprintf("%s has no schedule %q", d.FullName(), r.ID),
			hint: core.ShellCommand("flowlite", "deployment", "schedule", "ls", d.FullName()),
		}
	case 1:
		return d, found[0], nil
	}
	return nil, nil, &failure{
		code: exitUsage,
		what: fmt.Sprintf("%q is %d schedules of %s", r.ID, len(found), d.FullName()),
		hint: "say more of the id",
	}
}

func (r scheduleRef) activate(a *app, active bool, done string) error {
	d, s, err := r.find(a)
	if err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "PATCH", schedulesPath(d)+"/"+s.ID.String(), core.ScheduleUpdate{Active: core.Some(active)}); err != nil {
		return err
	}
	s.Active = active
	return a.out.Say(core.ToJSON(s), s.ID.String(), "%s schedule %s of %s: %s", done, short(s.ID), d.FullName(), describeRule(s))
}

type schedulePauseCmd struct{ scheduleRef }

func (c *schedulePauseCmd) Run(a *app) error { return c.activate(a, false, "Paused") }

type scheduleResumeCmd struct{ scheduleRef }

func (c *scheduleResumeCmd) Run(a *app) error { return c.activate(a, true, "Resumed") }

type scheduleDeleteCmd struct {
	scheduleRef
	yesFlag
}

func (c *scheduleDeleteCmd) Run(a *app) error {
	d, s, err := c.find(a)
	if err != nil {
		return err
	}
	if err := a.confirm(c.Yes, fmt.Sprintf("Delete schedule %s of %s?", describeRule(s), d.FullName())); err != nil {
		return err
	}
	if err := a.deleteSchedule(d, s.ID); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(s), s.ID.String(), "Deleted schedule %s of %s", short(s.ID), d.FullName())
}

type scheduleClearCmd struct {
	deploymentRef
	yesFlag
}

func (c *scheduleClearCmd) Run(a *app) error {
	d, _, err := a.deployment(c.Name)
	if err != nil {
		return err
	}
	if len(d.Schedules) > 0 {
		if err := a.confirm(c.Yes, fmt.Sprintf("Delete %s of %s?", count(len(d.Schedules), "schedule"), d.FullName())); err != nil {
			return err
		}
	}
	for _, s := range d.Schedules {
		if err := a.deleteSchedule(d, s.ID); err != nil {
			return err
		}
	}
	return a.out.Say(
		core.ToJSON(append([]*core.Schedule{}, d.Schedules...)),
		d.FullName(),
		"Deleted %s of %s",
		count(len(d.Schedules), "schedule"),
		d.FullName(),
	)
}

func schedulesPath(d *core.Deployment) string { return "/deployments/" + d.ID.String() + "/schedules" }

func (a *app) deleteSchedule(d *core.Deployment, id core.UUID) error {
	_, err := a.api.call(a.ctx, "DELETE", schedulesPath(d)+"/"+id.String(), nil)
	return err
}

func describeRule(s *core.Schedule) string {
	if r, err := schedule.Parse(s.Rule); err == nil {
		return r.Describe()
	}
	return string(s.Rule)
}

func describeSchedule(s *core.Schedule) string {
	text := describeRule(s)
	if !s.Active {
		text += " (off)"
	}
	return text
}
