package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

// changePool is what is said of a pool after a change of it.
func (a *app) changePool(name string, u core.WorkPoolUpdate, format string, args ...any) error {
	if _, err := a.api.call(a.ctx, "PATCH", "/work_pools/"+esc(name), u); err != nil {
		return a.noPool(name, err)
	}
	_, raw, err := a.pool(name)
	if err != nil {
		return err
	}
	return a.out.Say(raw, name, format, args...)
}

type workPoolPauseCmd struct{ poolRef }

func (c *workPoolPauseCmd) Run(a *app) error {
	return a.changePool(c.Name, core.WorkPoolUpdate{IsPaused: core.Some(true)}, "Paused %s", c.Name)
}

type workPoolResumeCmd struct{ poolRef }

func (c *workPoolResumeCmd) Run(a *app) error {
	return a.changePool(c.Name, core.WorkPoolUpdate{IsPaused: core.Some(false)}, "Resumed %s", c.Name)
}

type workPoolUpdateCmd struct {
	poolRef
	Description *string `help:"what it is for"`
	Limit       *int64  `name:"concurrency-limit" help:"runs at once"`
	Template    string  `predictor:"file" name:"base-job-template" placeholder:"FILE" help:"JSON file of the base job template; - is stdin"`
}

func (c *workPoolUpdateCmd) Run(a *app) error {
	var u core.WorkPoolUpdate
	if c.Description != nil {
		u.Description = core.Some(*c.Description)
	}
	if c.Limit != nil {
		u.ConcurrencyLimit = core.Some(*c.Limit)
	}
	if c.Template != "" {
		t, err := readTemplate(a, c.Template)
		if err != nil {
			return err
		}
		u.BaseJobTemplate = core.Some(t)
	}
	if c.Description == nil && c.Limit == nil && c.Template == "" {
		return badUsage("say what to change: --description, --concurrency-limit or --base-job-template")
	}
	return a.changePool(c.Name, u, "Updated %s", c.Name)
}

// readTemplate reads a base job template: an object with both its parts.
func readTemplate(a *app, file string) (core.JSON, error) {
	b, err := readFile(a, file)
	if err != nil {
		return nil, err
	}
	var t map[string]json.RawMessage
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, badUsage("%s does not hold a JSON object: %v", file, err)
	}
	if t["job_configuration"] == nil || t["variables"] == nil {
		return nil, badUsage(
			"%s is not a base job template: it needs job_configuration and variables; `flowlite work-pool get-default-base-job-template` prints one",
			file,
		)
	}
	return core.JSON(b), nil
}

type workPoolLimitCmd struct {
	poolRef
	Limit int64 `arg:"" help:"runs at once; 0 lets none run"`
}

func (c *workPoolLimitCmd) Run(a *app) error {
	return a.changePool(c.Name, core.WorkPoolUpdate{ConcurrencyLimit: core.Some(c.Limit)}, "Set the limit of %s to %d", c.Name, c.Limit)
}

type workPoolUnlimitCmd struct{ poolRef }

func (c *workPoolUnlimitCmd) Run(a *app) error {
	return a.changePool(c.Name, core.WorkPoolUpdate{ConcurrencyLimit: core.Null[int64]()}, "%s has no limit now", c.Name)
}

type workPoolDeleteCmd struct {
	Names []string `arg:"" name:"name" predictor:"pool" help:"names of pools"`
	yesFlag
}

func (c *workPoolDeleteCmd) Run(a *app) error {
	if err := a.confirm(c.Yes, "Delete "+some(c.Names, "pools")+", with its queues?"); err != nil {
		return err
	}
	return a.each(c.Names, func(name string) (*said, error) {
		_, raw, err := a.pool(name)
		if err != nil {
			return nil, err
		}
		_, err = a.api.call(a.ctx, "DELETE", "/work_pools/"+esc(name), nil)
		return &said{raw, name, "Deleted " + name}, err
	})
}

type workPoolTemplateCmd struct {
	Type string `short:"t" enum:"process" default:"process" help:"type of pool: process"`
	File string `short:"f" help:"write it to this file"`
}

func (c *workPoolTemplateCmd) Run(a *app) error {
	if c.File == "" {
		return a.out.Raw(core.ProcessTemplate)
	}
	if err := os.WriteFile(c.File, append([]byte(core.ProcessTemplate), '\n'), 0o644); err != nil {
		return err
	}
	a.out.Note("wrote %s", c.File)
	return nil
}

type workPoolPreviewCmd struct {
	poolRef
	Hours int `default:"1" help:"look so far ahead"`
}

func (c *workPoolPreviewCmd) Run(a *app) error {
	p, _, err := a.pool(c.Name)
	if err != nil {
		return err
	}
	return a.preview(map[string]any{"work_pools": map[string]any{"id": map[string]any{"any_": []core.UUID{p.ID}}}}, c.Hours, "pool "+p.Name)
}

// preview lists the scheduled runs of a pool or queue in the order in which
// they come due. The poll of Prefect's workers knows them too, but would count
// as a worker's sign of life.
func (a *app) preview(filters map[string]any, hours int, of string) error {
	filters["sort"], filters["limit"] = "NEXT_SCHEDULED_START_TIME_ASC", core.MaxLimit
	filters["flow_runs"] = map[string]any{"state": map[string]any{"type": map[string]any{"any_": []core.StateType{core.Scheduled}}},
		"next_scheduled_start_time": map[string]any{"before_": core.Now().Add(time.Duration(hours) * time.Hour)}}
	runs, raw, err := ask[[]*core.FlowRun](a, "POST", "/flow_runs/filter", filters)
	if err != nil {
		return err
	}
	t := &out.Table{Empty: fmt.Sprintf("no runs of %s are due within %d h", of, hours),
		Columns: []out.Column{{Name: "due", Keep: true}, {Name: "name", Keep: true}, {Name: "id"}, {Name: "flow"}, {Name: "queue"}}}
	var names []string
	flows := []core.UUID{}
	for _, r := range runs {
		flows = append(flows, r.FlowID)
	}
	byID := map[core.UUID]string{}
	if a.out.ForPeople() {
		byID = a.flowNames(flows)
	}
	for _, r := range runs {
		names = append(names, r.ID.String())
		t.Rows = append(t.Rows, []string{a.out.Ago(r.NextScheduledStartTime), r.Name, r.ID.String(), byID[r.FlowID], core.Deref(r.WorkQueueName)})
	}
	return a.out.List(raw, t, names)
}

type workPoolClearCmd struct {
	poolRef
	yesFlag
	State []string `predictor:"state" required:"" help:"those in these states: Late, Pending, Running ..."`
}

// Run deletes what waits and what has ended, and cancels what executes.
func (c *workPoolClearCmd) Run(a *app) error {
	p, _, err := a.pool(c.Name)
	if err != nil {
		return err
	}
	filter := map[string]any{"work_pools": map[string]any{"id": map[string]any{"any_": []core.UUID{p.ID}}},
		"flow_runs": map[string]any{"state": stateFilter(c.State)}}
	runs, err := a.everyRun(filter)
	if err != nil {
		return err
	}
	if len(runs) > 0 {
		if err := a.confirm(
			c.Yes,
			fmt.Sprintf("Clear %s of pool %s (those that execute are cancelled, others deleted)?", count(len(runs), "run"), p.Name),
		); err != nil {
			return err
		}
	}
	deleted, cancelled := 0, 0
	for _, r := range runs {
		if r.StateType == core.Running {
			if _, err := a.changeRun(r.ID.String(), "/cancel", map[string]any{}); err != nil {
				return err
			}
			cancelled++
			continue
		}
		if _, err := a.api.call(a.ctx, "DELETE", "/flow_runs/"+r.ID.String(), nil); err != nil && !core.IsNotFound(err) {
			return err
		}
		deleted++
	}
	return a.out.Say(
		core.ToJSON(map[string]int{"deleted": deleted, "cancelled": cancelled}),
		p.Name,
		"Deleted %s, cancelled %d",
		count(deleted, "run"),
		cancelled,
	)
}

// everyRun reads all pages of a filter.
func (a *app) everyRun(filter map[string]any) (all []*core.FlowRun, err error) {
	filter["limit"], filter["sort"] = core.MaxLimit, "ID_DESC"
	for {
		filter["offset"] = len(all)
		page, _, err := ask[[]*core.FlowRun](a, "POST", "/flow_runs/filter", filter)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(page) < core.MaxLimit {
			return all, nil
		}
	}
}
