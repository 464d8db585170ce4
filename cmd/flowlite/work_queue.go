package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type workQueueCmd struct {
	Create     workQueueCreateCmd  `cmd:"" help:"Create a queue of a pool"`
	Ls         workQueueLsCmd      `cmd:"" aliases:"list" help:"List queues"`
	Inspect    workQueueInspectCmd `cmd:"" help:"Show a queue"`
	Pause      workQueuePauseCmd   `cmd:"" help:"Hand out no runs of a queue"`
	Resume     workQueueResumeCmd  `cmd:"" help:"Hand out its runs again"`
	SetLimit   workQueueLimitCmd   `cmd:"" name:"set-concurrency-limit" help:"Let no more runs of a queue run at once"`
	ClearLimit workQueueUnlimitCmd `cmd:"" name:"clear-concurrency-limit" help:"Take the limit of a queue away"`
	Preview    workQueuePreviewCmd `cmd:"" help:"List the runs that come due next"`
	Delete     workQueueDeleteCmd  `cmd:"" help:"Delete a queue"`
}

type workQueueLsCmd struct {
	pageFlags
	Pool string `short:"p" predictor:"pool" help:"only of this pool"`
}

func (c *workQueueLsCmd) Run(a *app) error {
	path := "/work_queues/filter"
	if c.Pool != "" {
		path = "/work_pools/" + esc(c.Pool) + "/queues/filter"
	}
	all, raw, err := ask[[]*core.WorkQueue](a, "POST", path, c.body(nil))
	if err != nil {
		return a.noPool(c.Pool, err)
	}
	t := &out.Table{
		Empty:   "no work queues",
		Columns: []out.Column{{Name: "name"}, {Name: "pool"}, {Name: "priority", Right: true}, {Name: "limit", Right: true}, {Name: "status"}},
	}
	var names []string
	for _, q := range all {
		names = append(names, q.Name)
		t.Rows = append(
			t.Rows,
			[]string{
				q.Name,
				core.Deref(q.WorkPoolName),
				strconv.FormatInt(q.Priority, 10),
				limit(q.ConcurrencyLimit),
				a.out.Status(core.Deref(q.Status)),
			},
		)
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

type queueRef struct {
	Name string `arg:"" predictor:"queue" help:"name of the queue, or its id"`
	Pool string `short:"p" predictor:"pool" help:"its pool; needed only where several pools have a queue of the name"`
}

// find answers for an id, a name in a pool, or a name that only one pool has.
func (r queueRef) find(a *app) (*core.WorkQueue, core.JSON, error) {
	none := &failure{
		code: exitNotFound,
		what: fmt.Sprintf("no work queue %q on %s", r.Name, a.where()),
		hint: "flowlite work-queue ls shows all",
	}
	if id, err := core.ParseUUID(r.Name); err == nil {
		q, raw, err := ask[*core.WorkQueue](a, "GET", "/work_queues/"+id.String(), nil)
		if core.IsNotFound(err) {
			err = none
		}
		return q, raw, err
	}
	if r.Pool != "" {
		if _, _, err := a.pool(r.Pool); err != nil {
			return nil, nil, err
		}
		q, raw, err := ask[*core.WorkQueue](a, "GET", "/work_pools/"+esc(r.Pool)+"/queues/"+esc(r.Name), nil)
		if core.IsNotFound(err) {
			none.what, none.hint = fmt.Sprintf(
				"pool %s has no queue %q",
				r.Pool,
				r.Name,
			), core.ShellCommand(
				"flowlite",
				"work-queue",
				"ls",
				"-p",
				r.Pool,
			)+" shows those it has"
			err = none
		}
		return q, raw, err
	}
	found, _, err := ask[[]*core.WorkQueue](
		a,
		"POST",
		"/work_queues/filter",
		map[string]any{"work_queues": map[string]any{"name": map[string]any{"any_": []string{r.Name}}}},
	)
	switch {
	case err != nil:
		return nil, nil, err
	case len(found) == 0:
		return nil, nil, none
	case len(found) > 1:
		var pools []string
		for _, q := range found[:min(len(found), 4)] {
			pools = append(pools, core.Deref(q.WorkPoolName))
		}
		return nil, nil, &failure{
			code: exitUsage,
			what: fmt.Sprintf("%d pools have a queue %q", len(found), r.Name),
			hint: "say --pool " + strings.Join(pools, " or --pool "),
		}
	}
	return ask[*core.WorkQueue](a, "GET", "/work_queues/"+found[0].ID.String(), nil)
}

func (r queueRef) change(a *app, u core.WorkQueueUpdate, format string, args ...any) error {
	q, _, err := r.find(a)
	if err != nil {
		return err
	}
	path := "/work_queues/" + q.ID.String()
	if _, err := a.api.call(a.ctx, "PATCH", path, u); err != nil {
		return err
	}
	raw, err := a.api.call(a.ctx, "GET", path, nil)
	if err != nil {
		return err
	}
	return a.out.Say(raw, q.Name, format, args...)
}

type workQueueCreateCmd struct {
	Name        string `arg:"" help:"name of the queue"`
	Pool        string `short:"p" default:"default" predictor:"pool" help:"its pool"`
	Limit       *int64 `short:"l" name:"limit" help:"runs at once"`
	Priority    *int64 `short:"q" help:"1 is served first"`
	Description string `help:"what it is for"`
}

func (c *workQueueCreateCmd) Run(a *app) error {
	if _, _, err := a.pool(c.Pool); err != nil {
		return err
	}
	body := core.WorkQueueCreate{Name: c.Name, ConcurrencyLimit: c.Limit, Priority: c.Priority}
	if c.Description != "" {
		body.Description = &c.Description
	}
	q, raw, err := ask[*core.WorkQueue](a, "POST", "/work_pools/"+esc(c.Pool)+"/queues", body)
	if core.CodeOf(err) == core.EConflict {
		return &failure{
			code: exitFailed,
			what: fmt.Sprintf("pool %s has a queue %s already", c.Pool, c.Name),
			hint: core.ShellCommand("flowlite", "work-queue", "inspect", c.Name, "-p", c.Pool),
		}
	}
	if err != nil {
		return err
	}
	if err = a.out.Say(raw, q.Name, "Created %s in pool %s", a.out.Bold(q.Name), c.Pool); err == nil && a.out.ForPeople() {
		a.out.Hint("%s", core.ShellCommand("flowlite", "worker", "start", "--pool", c.Pool, "--queue", q.Name))
	}
	return err
}

type workQueueInspectCmd struct{ queueRef }

func (c *workQueueInspectCmd) Run(a *app) error {
	q, raw, err := c.find(a)
	if err != nil {
		return err
	}
	return a.out.Record(
		raw,
		q.Name,
		[]out.Field{
			{Name: "Name", Value: a.out.Bold(q.Name)},
			{Name: "Id", Value: q.ID.String()},
			{Name: "Pool", Value: core.Deref(q.WorkPoolName)},
			{
				Name:  "Status",
				Value: a.out.Status(core.Deref(q.Status)),
			},
			{Name: "Description", Value: core.Deref(q.Description)},
			{Name: "Priority", Value: strconv.FormatInt(q.Priority, 10)},
			{
				Name:  "Limit",
				Value: limit(q.ConcurrencyLimit),
			},
			{Name: "Last polled", Value: a.out.Full(q.LastPolled)},
			{Name: "Created", Value: a.out.Full(q.Created)},
		},
	)
}

type workQueuePauseCmd struct {
	queueRef
	Yes bool `short:"y" hidden:""` // Prefect asks before it pauses the default queue
}

func (c *workQueuePauseCmd) Run(a *app) error {
	return c.change(a, core.WorkQueueUpdate{IsPaused: core.Some(true)}, "Paused %s", c.Name)
}

type workQueueResumeCmd struct{ queueRef }

func (c *workQueueResumeCmd) Run(a *app) error {
	return c.change(a, core.WorkQueueUpdate{IsPaused: core.Some(false)}, "Resumed %s", c.Name)
}

type workQueueLimitCmd struct {
	queueRef
	Limit int64 `arg:"" help:"runs at once; 0 lets none run"`
}

func (c *workQueueLimitCmd) Run(a *app) error {
	return c.change(a, core.WorkQueueUpdate{ConcurrencyLimit: core.Some(c.Limit)}, "Set the limit of %s to %d", c.Name, c.Limit)
}

type workQueueUnlimitCmd struct{ queueRef }

func (c *workQueueUnlimitCmd) Run(a *app) error {
	return c.change(a, core.WorkQueueUpdate{ConcurrencyLimit: core.Null[int64]()}, "%s has no limit now", c.Name)
}

type workQueuePreviewCmd struct {
	queueRef
	Hours int `default:"1" help:"look so far ahead"`
}

func (c *workQueuePreviewCmd) Run(a *app) error {
	q, _, err := c.find(a)
	if err != nil {
		return err
	}
	return a.preview(
		map[string]any{"work_pool_queues": map[string]any{"id": map[string]any{"any_": []core.UUID{q.ID}}}},
		c.Hours,
		"queue "+q.Name,
	)
}

type workQueueDeleteCmd struct {
	queueRef
	yesFlag
}

func (c *workQueueDeleteCmd) Run(a *app) error {
	q, raw, err := c.find(a)
	if err != nil {
		return err
	}
	name := core.Deref(q.WorkPoolName) + "/" + q.Name
	if err := a.confirm(c.Yes, "Delete queue "+name+"?"); err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "DELETE", "/work_queues/"+q.ID.String(), nil); err != nil {
		return err
	}
	return a.out.Say(raw, q.Name, "Deleted %s", name)
}
