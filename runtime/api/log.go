package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) logs() group {
	return group{"/logs", []op{
		route("POST", "/", http.StatusCreated, a.createLogs).runs(),
		filter[logQuery]("/filter", core.LogSorts, a.store.Logs).runs(),
	}}
}

type logQuery struct {
	Logs *core.LogFilter `json:"logs"`
	pageQuery
}

func (q logQuery) filter() *core.LogFilter { return q.Logs }

// logBody tells an absent level or timestamp from a zero one.
type logBody struct {
	Name      string    `json:"name"`
	Level     *whole    `json:"level"`
	Message   string    `json:"message"`
	Timestamp core.Time `json:"timestamp"`
	FlowRunID core.UUID `json:"flow_run_id"`
	TaskRunID core.UUID `json:"task_run_id"`
}

func (a *API) createLogs(ctx context.Context, in *withBody[batch[logBody]]) (any, error) {
	good := in.Body.keep(logBody.check)
	logs := make([]core.LogCreate, len(good))
	var own core.UUID
	for i, l := range good {
		if l.FlowRunID != own {
			if err := a.Runs.OwnFlowRun(ctx, l.FlowRunID); err != nil {
				return nil, err
			}
			own = l.FlowRunID
		}
		logs[i] = core.LogCreate{Name: l.Name, Level: int64(*l.Level), Message: l.Message,
			Timestamp: l.Timestamp, FlowRunID: l.FlowRunID, TaskRunID: l.TaskRunID}
	}
	if len(logs) > 0 {
		if err := a.Logs.WriteLogs(ctx, logs); err != nil {
			return nil, err
		}
	}
	return nil, in.Body.answer()
}

func (l logBody) check() error {
	switch {
	case l.Level == nil:
		return invalid("missing", "Field required", nil, "level")
	case l.Timestamp.IsZero():
		return invalid("missing", "Field required", nil, "timestamp")
	}
	return nil
}
