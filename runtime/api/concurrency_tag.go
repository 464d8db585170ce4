package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

const tagLimit = "Concurrency limit"

// tagLimits are the limits of v1: of task runs with a tag.
func (a *API) tagLimits() group {
	return group{"/concurrency_limits", []op{
		route("POST", "/", http.StatusOK, func(ctx context.Context, in *withBody[core.TagLimitCreate]) (*core.TagLimit, error) {
			return a.Limits.SetTagLimit(ctx, in.Body)
		}, need("tag", "concurrency_limit")),
		read(tagLimit, a.Limits.TagLimit).runs(),
		route("DELETE", "/{id}", http.StatusOK, func(ctx context.Context, in *byID) (any, error) {
			return nil, named(tagLimit, a.Limits.DeleteTagLimit(ctx, in.ID))
		}),
		get("/tag/{tag}", func(ctx context.Context, in *byTag) (*core.TagLimit, error) {
			return a.tagLimit(ctx, in.Tag)
		}).runs(),
		route("DELETE", "/tag/{tag}", http.StatusOK, func(ctx context.Context, in *byTag) (any, error) {
			l, err := a.tagLimit(ctx, in.Tag)
			if err != nil {
				return nil, err
			}
			return nil, a.Limits.DeleteTagLimit(ctx, l.ID)
		}),
		post("/tag/{tag}/reset", func(ctx context.Context, in *struct {
			Tag  string `path:"tag"`
			Body struct {
				Override []core.UUID `json:"slot_override"`
			}
		}) (any, error) {
			return nil, named(tagLimit, a.Limits.ResetTagLimit(ctx, in.Tag, in.Body.Override))
		}, optional),
		post("/filter", func(ctx context.Context, in *withBody[pageQuery]) ([]*core.TagLimit, error) {
			page, none, err := in.Body.page(nil)
			if err != nil || none {
				return []*core.TagLimit{}, err
			}
			return a.Limits.TagLimits(ctx, page)
		}, strict).runs(),
		post("/increment", func(ctx context.Context, in *withBody[tagSlots]) ([]core.MinimalLimit, error) {
			return a.Limits.TakeTagSlots(ctx, in.Body.Names, in.Body.TaskRunID)
		}, need("names", "task_run_id")).runs(),
		post("/decrement", func(ctx context.Context, in *withBody[tagSlots]) ([]core.MinimalLimit, error) {
			return a.Limits.ReturnTagSlots(ctx, in.Body.Names, in.Body.TaskRunID, in.Body.Occupancy)
		}, need("names", "task_run_id")).runs(),
	}}
}

type byTag struct {
	Tag string `path:"tag"`
}

type tagSlots struct {
	Names     []string  `json:"names"`
	TaskRunID core.UUID `json:"task_run_id"`
	Occupancy *float64  `json:"occupancy_seconds"`
}

func (a *API) tagLimit(ctx context.Context, tag string) (*core.TagLimit, error) {
	l, err := a.Limits.TagLimitByTag(ctx, tag)
	return l, named(tagLimit, err)
}
