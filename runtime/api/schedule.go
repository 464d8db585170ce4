package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) schedules() group {
	return group{"/deployments/{id}/schedules", []op{
		get("", func(ctx context.Context, in *byID) ([]*core.Schedule, error) {
			if _, err := a.store.Deployment(ctx, in.ID); err != nil {
				return nil, named("Deployment", err)
			}
			return rows(a.store.Schedules(ctx, in.ID))
		}).runs(),
		route("POST", "", http.StatusCreated, func(ctx context.Context, in *change[[]core.ScheduleCreate]) ([]*core.Schedule, error) {
			s, err := a.Runs.CreateSchedules(ctx, in.ID, in.Body)
			return rows(s, named("Deployment", err))
		}),
		done("PATCH", "/{schedule}", func(ctx context.Context, in *scheduleChange) error {
			return a.Runs.UpdateSchedule(ctx, in.ID, in.Schedule, in.Body)
		}),
		done("DELETE", "/{schedule}", func(ctx context.Context, in *scheduleID) error {
			return a.Runs.DeleteSchedule(ctx, in.ID, in.Schedule)
		}),
	}}
}

type scheduleID struct {
	ID       core.UUID `path:"id"`
	Schedule core.UUID `path:"schedule"`
}

type scheduleChange struct {
	ID       core.UUID `path:"id"`
	Schedule core.UUID `path:"schedule"`
	Body     core.ScheduleUpdate
}
