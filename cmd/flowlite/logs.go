package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type logsFlags struct {
	Follow  bool   `short:"f" help:"go on until the run is final"`
	Tail    int    `short:"n" help:"only the last N lines"`
	Head    int    `help:"only the first N lines"`
	Reverse bool   `short:"r" help:"newest first"`
	Level   string `enum:"debug,info,warning,error,critical" default:"debug" help:"this level and above: debug, info, warning, error or critical"`
}

type logsTopCmd struct {
	FlowRun string `name:"flow-run" required:"" placeholder:"RUN" help:"id, unique prefix of one, or name"`
	logsFlags
}

func (c *logsTopCmd) Run(a *app) error { return a.logs(c.FlowRun, c.logsFlags) }

var levels = map[string]int64{"debug": 0, "info": 20, "warning": 30, "error": 40, "critical": 50}

func (a *app) logs(ref string, f logsFlags) error {
	r, _, err := a.flowRun(ref)
	if err != nil {
		return err
	}
	if f.Follow {
		for l, err := range a.api.patient.StreamLogs(a.ctx, r.ID, 0) {
			if err != nil {
				return a.api.explain(err)
			}
			if l.Level < levels[f.Level] {
				continue
			}
			if a.out.ForPeople() {
				a.progress("%s", a.logLine(l))
			} else if err := a.out.Record(core.ToJSON(l), l.ID.String(), nil); err != nil {
				return err
			}
		}
		if a.ctx.Err() != nil {
			return outcome(exitInterrupted)
		}
		return nil
	}
	rows, err := a.allLogs(r.ID, f)
	if err != nil {
		return err
	}
	if !a.out.ForPeople() {
		var names []string
		for _, l := range rows {
			names = append(names, l.ID.String())
		}
		raw := core.JSON("[]")
		if len(rows) > 0 {
			raw = core.ToJSON(rows)
		}
		return a.out.List(raw, &out.Table{}, names)
	}
	for _, l := range rows {
		a.progress("%s", a.logLine(l))
	}
	return nil
}

func (a *app) allLogs(run core.UUID, f logsFlags) (all []*core.Log, err error) {
	want, sort := f.Head, "TIMESTAMP_ASC"
	if f.Tail > 0 {
		want, sort = f.Tail, "TIMESTAMP_DESC"
	}
	for want == 0 || len(all) < want {
		limit := core.MaxLimit
		if want > 0 {
			limit = min(limit, want-len(all))
		}
		raw, err := a.api.call(a.ctx, "POST", "/logs/filter", map[string]any{"sort": sort, "limit": limit, "offset": len(all),
			"logs": map[string]any{"flow_run_id": map[string]any{"any_": []core.UUID{run}}, "level": map[string]any{"ge_": levels[f.Level]}}})
		if err != nil {
			return nil, err
		}
		var page []*core.Log
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < limit {
			break
		}
	}
	if f.Reverse != (f.Tail > 0) {
		slices.Reverse(all)
	}
	return all, nil
}

func (a *app) logLine(l *core.Log) string {
	name := strings.TrimPrefix(l.Name, "prefect.")
	message := strings.ReplaceAll(strings.TrimRight(l.Message, "\n"), "\n", "\n    ")
	return a.out.Dim(l.Timestamp.Time().Local().Format("15:04:05.000")) + " " + a.out.Level(l.Level) + " " + a.out.Dim(name) + "  " + message
}
