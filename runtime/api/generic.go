package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// The seven shapes that most operations have. A body type Q of a list holds
// the filter under its own key and the paging beside it.

type byID struct {
	ID core.UUID `path:"id"`
}

type byName struct {
	Name string `path:"name"`
}

type withBody[B any] struct{ Body B }

type change[B any] struct {
	ID   core.UUID `path:"id"`
	Body B
}

func create[C any, R any](fn func(context.Context, C) (R, error), options ...option) op {
	return route("POST", "/", http.StatusCreated, func(ctx context.Context, in *withBody[C]) (R, error) {
		return fn(ctx, in.Body)
	}, options...)
}

func read[R any](noun string, fn func(context.Context, core.UUID) (R, error)) op {
	return get("/{id}", func(ctx context.Context, in *byID) (R, error) {
		out, err := fn(ctx, in.ID)
		return out, named(noun, err)
	})
}

func update[U any](noun string, fn func(context.Context, core.UUID, U) error) op {
	return done("PATCH", "/{id}", func(ctx context.Context, in *change[U]) error {
		return named(noun, fn(ctx, in.ID, in.Body))
	})
}

func remove(noun string, fn func(context.Context, core.UUID) error) op {
	return done("DELETE", "/{id}", func(ctx context.Context, in *byID) error { return named(noun, fn(ctx, in.ID)) })
}

// named gives a not-found the noun that clients look for.
func named(noun string, err error) error {
	if err != nil && core.IsNotFound(err) {
		return core.NotFound(noun)
	}
	return err
}

// pageQuery is what every list body has.
type pageQuery struct {
	Sort   *string `json:"sort"`
	Limit  *whole  `json:"limit"`
	Offset *whole  `json:"offset"`
	Page   *whole  `json:"page"`
}

func (p pageQuery) paging() pageQuery { return p }

type query[F any] interface {
	filter() F
	paging() pageQuery
}

// maxListData bounds the data of the artifacts in one answer. An artifact alone is
// as large as the request that made it.
const maxListData = 64 << 20

// page checks the paging; an explicit limit of 0 is an empty list (none).
func (p pageQuery) page(sorts []string) (page core.Page, none bool, err error) {
	page.Limit, page.MaxBytes = core.MaxLimit, maxListData
	if len(sorts) > 0 {
		page.Sort = sorts[0]
	}
	if p.Limit != nil {
		page.Limit = int(*p.Limit)
	}
	switch {
	case page.Limit > core.MaxLimit:
		return page, false, core.Errorf(core.EInvalid, "Invalid limit: must be less than or equal to %d.", core.MaxLimit)
	case page.Limit < 0:
		return page, false, core.Errorf(core.EInvalid, "Invalid limit: must be greater than or equal to 0.")
	}
	if p.Offset != nil {
		if page.Offset = int(*p.Offset); page.Offset < 0 {
			return page, false, invalid("greater_than_equal", "Input should be greater than or equal to 0", page.Offset, "offset")
		}
	}
	if p.Sort != nil {
		if !slices.Contains(sorts, *p.Sort) {
			return page, false, invalid("enum", "Input should be one of "+strings.Join(sorts, ", "), *p.Sort, "sort")
		}
		page.Sort = *p.Sort
	}
	return page, page.Limit == 0, nil
}

func filter[Q query[F], F, T any](path string, sorts []string, list func(context.Context, F, core.Page) ([]T, error)) op {
	return post(path, func(ctx context.Context, in *withBody[Q]) ([]T, error) {
		page, none, err := in.Body.paging().page(sorts)
		if err != nil || none {
			return []T{}, err
		}
		return rows(list(ctx, in.Body.filter(), page))
	}, strict)
}

func count[Q query[F], F any](path string, total func(context.Context, F) (int64, error)) op {
	return post(path, func(ctx context.Context, in *withBody[Q]) (int64, error) {
		return total(ctx, in.Body.filter())
	}, strict)
}

type pageOf[T any] struct {
	Results []T   `json:"results"`
	Count   int64 `json:"count"`
	Limit   int   `json:"limit"`
	Pages   int64 `json:"pages"`
	Page    int   `json:"page"`
}

func paginate[Q query[F], F, T any](
	sorts []string,
	list func(context.Context, F, core.Page) ([]T, error),
	total func(context.Context, F) (int64, error),
) op {
	return post("/paginate", func(ctx context.Context, in *withBody[Q]) (*pageOf[T], error) {
		p := in.Body.paging()
		page, none, err := p.page(sorts)
		if err != nil {
			return nil, err
		}
		out := &pageOf[T]{Results: []T{}, Limit: page.Limit, Page: 1}
		if p.Page != nil {
			out.Page = int(*p.Page)
		}
		if out.Page < 1 {
			return nil, invalid("greater_than_equal", "Input should be greater than or equal to 1", out.Page, "page")
		}
		if out.Count, err = total(ctx, in.Body.filter()); err != nil || none {
			return out, err
		}
		out.Pages = (out.Count + int64(page.Limit) - 1) / int64(page.Limit)
		page.Offset = (out.Page - 1) * page.Limit
		out.Results, err = rows(list(ctx, in.Body.filter(), page))
		return out, err
	}, strict)
}

// entities is the body of lists that filter across flows, runs, tasks,
// deployments, pools and queues.
type entities struct {
	core.Filters
	pageQuery
}

func (e entities) filter() core.Filters { return e.Filters }

type historyQuery struct {
	core.Filters
	Queues   *core.WorkQueueFilter `json:"work_queues"`
	Start    core.Time             `json:"history_start"`
	End      core.Time             `json:"history_end"`
	Interval *float64              `json:"history_interval"`
	Seconds  *float64              `json:"history_interval_seconds"`
}

// maxBuckets bounds a history.
const maxBuckets = 500

func history(fn func(context.Context, core.HistoryQuery) ([]core.HistoryBucket, error)) op {
	return post("/history", func(ctx context.Context, in *withBody[historyQuery]) ([]core.HistoryBucket, error) {
		b := &in.Body
		q := core.HistoryQuery{Filters: b.Filters, Start: b.Start, End: b.End}
		if b.Queues != nil {
			q.WorkQueues = b.Queues
		}
		if b.Seconds == nil {
			b.Seconds = b.Interval
		}
		switch {
		case b.Start.IsZero():
			return nil, invalid("missing", "Field required", nil, "history_start")
		case b.End.IsZero():
			return nil, invalid("missing", "Field required", nil, "history_end")
		case b.Seconds == nil:
			return nil, invalid("missing", "Field required", nil, "history_interval_seconds")
		case *b.Seconds < 1:
			return nil, core.Errorf(core.EInvalid, "History interval must not be less than 1 second.")
		}
		q.Interval = *b.Seconds
		if n := q.End.Sub(q.Start).Seconds() / q.Interval; n > maxBuckets {
			return nil, core.Errorf(
				core.EInvalid,
				"%s",
				fmt.Sprintf("The history would have %.0f buckets; the most is %d: take a longer interval or a shorter span.", n, maxBuckets),
			)
		}
		if q.End <= q.Start {
			return []core.HistoryBucket{}, nil
		}
		buckets, err := rows(fn(ctx, q))
		for i := range buckets {
			if buckets[i].States == nil {
				buckets[i].States = []core.HistoryState{}
			}
		}
		return buckets, err
	}, strict)
}
