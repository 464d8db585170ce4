package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) events() group {
	return group{"/events", []op{
		done("POST", "", a.createEvents).runs(),
		post("/filter", a.filterEvents, strict).runs(),
		get("/filter/next", a.nextEvents).runs(),
		post("/count-by/{countable}", a.countEvents, need("filter"), strict).runs(),
	}}
}

// Limits of one event. A larger one is taken and dropped, as the peer does:
// an error would make its sender try again for ever.
const (
	maxEvent      = 1_500_000
	maxLabels     = 500
	maxRelated    = 100
	maxEventsPage = 50
)

func (a *API) createEvents(ctx context.Context, in *withBody[batch[*core.Event]]) error {
	good := slices.DeleteFunc(in.Body.keep(checkEvent), func(e *core.Event) bool { return len(e.Payload) > maxEvent })
	if len(good) > 0 {
		if err := a.Events.EmitEvents(ctx, good); err != nil {
			return err
		}
	}
	return in.Body.answer()
}

func checkEvent(e *core.Event) error {
	switch {
	case e == nil:
		return invalid("model_type", "Input should be an event", nil)
	case e.ID.IsZero():
		return invalid("missing", "Field required", nil, "id")
	case e.Occurred.IsZero():
		return invalid("missing", "Field required", nil, "occurred")
	case e.Event == "":
		return invalid("missing", "Field required", nil, "event")
	case e.ResourceID() == "":
		return invalid("value_error", "Value error, Resources must include the prefect.resource.id label", e.Resource, "resource")
	case len(e.Resource) > maxLabels:
		return invalid("value_error", "The resource has more than 500 labels", nil, "resource")
	case len(e.Related) > maxRelated:
		return invalid("value_error", "The event has more than 100 related resources", nil, "related")
	}
	for i, r := range e.Related {
		if r["prefect.resource.id"] == "" || r["prefect.resource.role"] == "" {
			return invalid(
				"value_error",
				"Value error, Related resources must include the prefect.resource.id and prefect.resource.role labels",
				r,
				"related",
				i,
			)
		}
	}
	return e.Check()
}

// eventQuery is a page of events, and what a page token holds.
type eventQuery struct {
	Filter *core.EventFilter `json:"filter"`
	Limit  *whole            `json:"limit,omitempty"`
	Offset int               `json:"-"`
}

type eventToken struct {
	Filter *core.EventFilter `json:"f"`
	Limit  int               `json:"l"`
	Offset int               `json:"o"`
}

type eventPage struct {
	Events []*core.Event `json:"events"`
	Total  int64         `json:"total"`
	Next   *string       `json:"next_page"`
}

func (a *API) filterEvents(ctx context.Context, in *withBody[eventQuery]) (*eventPage, error) {
	t := eventToken{Filter: in.Body.Filter, Limit: maxEventsPage}
	if in.Body.Limit != nil {
		t.Limit = int(*in.Body.Limit)
	}
	if t.Limit < 0 || t.Limit > maxEventsPage {
		return nil, invalid("less_than_equal", "Input should be between 0 and 50", t.Limit, "limit")
	}
	if t.Filter == nil {
		t.Filter = &core.EventFilter{}
	}
	if err := boundEvents(t.Filter); err != nil {
		return nil, err
	}
	return a.eventPage(ctx, t)
}

// boundEvents fixes the span of a filter, so that later pages see the same events.
func boundEvents(f *core.EventFilter) error {
	if f.Order != "" && f.Order != "ASC" && f.Order != "DESC" {
		return invalid("enum", "Input should be 'ASC' or 'DESC'", f.Order, "filter", "order")
	}
	if f.Occurred == nil {
		f.Occurred = &core.EventOccurred{}
	}
	now := core.Now()
	if f.Occurred.Until.IsZero() {
		f.Occurred.Until = now
	}
	if f.Occurred.Since.IsZero() {
		f.Occurred.Since = now.Add(-180 * 24 * time.Hour)
	}
	return nil
}

func (a *API) nextEvents(ctx context.Context, in *struct {
	Token string `query:"page-token"`
}) (*eventPage, error) {
	if in.Token == "" {
		return nil, missingQuery("page-token")
	}
	var t eventToken
	b, err := base64.RawURLEncoding.DecodeString(in.Token)
	if err != nil || json.Unmarshal(b, &t) != nil || t.Limit <= 0 || t.Limit > maxEventsPage || t.Offset < 0 {
		return nil, core.Errorf(core.EForbidden, "The page token is not one of ours; ask for the first page again")
	}
	return a.eventPage(ctx, t)
}

func (a *API) eventPage(ctx context.Context, t eventToken) (*eventPage, error) {
	total, err := a.store.CountEvents(ctx, t.Filter)
	if err != nil {
		return nil, err
	}
	out := &eventPage{Events: []*core.Event{}, Total: total}
	if t.Limit == 0 {
		return out, nil
	}
	if out.Events, err = rows(a.store.Events(ctx, t.Filter, core.Page{Limit: t.Limit, Offset: t.Offset})); err != nil {
		return nil, err
	}
	if t.Offset += len(out.Events); len(out.Events) > 0 && int64(t.Offset) < total {
		b, _ := json.Marshal(t)
		out.Next = core.Ptr(baseURL(requestOf(ctx)) + "/api/events/filter/next?page-token=" + base64.RawURLEncoding.EncodeToString(b))
	}
	return out, nil
}

func baseURL(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
