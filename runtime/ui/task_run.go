package ui

import (
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

func (u *UI) taskRun(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Task run")
	if err != nil {
		return err
	}
	ctx := r.Context()
	v := views.TaskRunView{}
	if v.TaskRun, err = u.Store.TaskRun(ctx, id); err != nil {
		return err
	}
	p, err := u.page(w, r, v.Name, "runs")
	if err != nil {
		return err
	}
	if !v.FlowRunID.IsZero() {
		if v.Flow, err = u.run(ctx, v.FlowRunID); ignoreMissing(err) != nil {
			return err
		}
	}
	if v.States, err = u.Store.TaskRunStates(ctx, id); err != nil {
		return err
	}
	if v.Log, err = u.readLog(ctx, "/task-runs/"+id.String(), &core.LogFilter{TaskRunID: one(id)}, r.URL.Query()); err != nil {
		return err
	}
	if v.Artifacts, err = u.artifactsOf(ctx, &core.ArtifactFilter{TaskRunID: one(id)}); err != nil {
		return err
	}
	v.Result, v.ResultErr = u.result(ctx, v.State)
	return u.send(w, r, views.TaskRunPage(p, v))
}
