package run

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

func (u *UI) taskRun(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Task run")
	if err != nil {
		return err
	}
	ctx := r.Context()
	v := views.TaskRunView{}
	if v.TaskRun, err = u.Store.TaskRun(ctx, id); err != nil {
		return err
	}
	p, err := u.Page(w, r, v.Name, "runs")
	if err != nil {
		return err
	}
	if !v.FlowRunID.IsZero() {
		if v.Flow, err = u.Run(ctx, v.FlowRunID); page.IgnoreMissing(err) != nil {
			return err
		}
	}
	if v.States, err = u.Store.TaskRunStates(ctx, id); err != nil {
		return err
	}
	if v.Log, err = u.readLog(ctx, "/task-runs/"+id.String(), &core.LogFilter{TaskRunID: page.One(id)}, r.URL.Query()); err != nil {
		return err
	}
	if v.Artifacts, err = u.artifactsOf(ctx, &core.ArtifactFilter{TaskRunID: page.One(id)}); err != nil {
		return err
	}
	v.Result, v.ResultErr = u.result(ctx, v.State)
	if err := u.readOrigin(ctx, &v); err != nil {
		return err
	}
	return u.Send(w, r, views.TaskRunPage(p, v))
}

// shownInputs is how many task runs an input names.
const shownInputs = 50

// readOrigin reads what a task run was given, the run of its subflow, and the
// task run whose cached result it took.
func (u *UI) readOrigin(ctx context.Context, v *views.TaskRunView) error {
	var inputs map[string][]struct {
		Type string    `json:"input_type"`
		ID   core.UUID `json:"id"`
		Name string    `json:"name"`
	}
	if len(v.TaskInputs) > 2 && json.Unmarshal(v.TaskInputs, &inputs) != nil {
		inputs = nil // written by something else; there is nothing to link
	}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		in := views.TaskInput{Name: name}
		var ids []core.UUID
		for _, x := range inputs[name] {
			switch {
			case x.Type == "task_run" && len(ids) < shownInputs:
				ids = append(ids, x.ID)
			case x.Type == "parameter":
				in.Other = append(in.Other, "parameter "+x.Name+" of the flow")
			case x.Type == "constant":
				in.Other = append(in.Other, "a constant")
			}
		}
		if n := len(inputs[name]); n > shownInputs {
			in.Other = append(in.Other, fmt.Sprintf("and %d more", n-shownInputs))
		}
		if len(ids) > 0 {
			var err error
			if in.Tasks, err = u.Store.TaskRuns(
				ctx,
				core.Filters{TaskRuns: &core.TaskRunFilter{ID: &core.IDFilter{Any: ids}}},
				core.Page{Sort: "NAME_ASC", Limit: shownInputs},
			); err != nil {
				return err
			}
		}
		if len(in.Tasks)+len(in.Other) > 0 {
			v.Inputs = append(v.Inputs, in)
		}
	}
	subs, err := u.Runs(ctx, core.Filters{FlowRuns: &core.FlowRunFilter{ParentTaskRunID: page.One(v.ID)}}, core.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(subs) > 0 {
		v.Subflow = &subs[0]
	}
	return u.readCachedFrom(ctx, v)
}

func (u *UI) readCachedFrom(ctx context.Context, v *views.TaskRunView) error {
	if v.StateName != core.NameCached || v.State == nil {
		return nil
	}
	key := v.State.Details.CacheKey
	if key == nil {
		key = v.CacheKey
	}
	if key == nil {
		return nil
	}
	s, err := u.Store.CachedState(ctx, *key, 0)
	if err != nil {
		return page.IgnoreMissing(err)
	}
	if from := s.Details.TaskRunID; !from.IsZero() && from != v.ID {
		t, err := u.Store.TaskRun(ctx, from)
		if err == nil {
			v.From = t
		}
		return page.IgnoreMissing(err)
	}
	return nil
}
