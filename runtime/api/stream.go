package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// flowRunStreams are what flows append to while they run; Prefect has no word for them.
func (a *API) flowRunStreams() group {
	return group{"/flow_runs/{id}/streams", []op{
		get("", func(ctx context.Context, in *byID) ([]core.StreamInfo, error) { return a.store.Streams(ctx, in.ID) }).runs(),
		get("/{key}/wait", a.readStream).runs(),
		post("/{key}", a.appendStream, need("entries")).ownRun(),
		plain("GET", "/{key}/events", http.StatusOK, a.followStream).runs(),
	}}
}

func (a *API) appendStream(ctx context.Context, in *struct {
	ID   core.UUID `path:"id"`
	Key  string    `path:"key"`
	Body struct {
		Entries []core.StreamAppend `json:"entries"`
	}
}) (map[string]int64, error) {
	if !inputKeys.MatchString(in.Key) {
		return nil, invalid("value_error", "Stream key must only contain letters, digits, dots, dashes and underscores", in.Key, "key")
	}
	last, err := a.Runs.AppendStream(ctx, in.ID, in.Key, in.Body.Entries)
	return map[string]int64{"last": last}, named("Flow run", err)
}

func (a *API) readStream(ctx context.Context, in *struct {
	ID   core.UUID    `path:"id"`
	Key  string       `path:"key"`
	From int          `query:"from"`
	Wait core.Seconds `query:"wait"`
}) (*core.StreamPage, error) {
	p, err := a.Runs.StreamEntries(ctx, in.ID, in.Key, int64(in.From), min(max(in.Wait, 0), 30))
	return p, named("Flow run", err)
}

// followStream sends the entries of a stream as server-sent events, from the
// number of ?from= or after that of Last-Event-ID, until the run has ended.
func (a *API) followStream(w http.ResponseWriter, r *http.Request) {
	id, err := core.ParseUUID(r.PathValue("id"))
	if err != nil {
		writeDetail(w, http.StatusNotFound, "Not Found")
		return
	}
	from, _ := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
	if last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		from = last + 1
	}
	ctx, out := r.Context(), http.NewResponseController(w)
	var wait core.Seconds // the first answer tells at once whether the run is there
	for {
		page, err := a.Runs.StreamEntries(ctx, id, r.PathValue("key"), from, wait)
		if err != nil {
			if wait == 0 {
				a.fail(w, r, &op{}, nil, named("Flow run", err))
			}
			return
		}
		if wait == 0 {
			h := w.Header()
			h.Set("Content-Type", "text/event-stream")
			h.Set("Cache-Control", "no-store")
			h.Set("X-Accel-Buffering", "no")
			wait = core.Seconds(keepAlive.Seconds())
		}
		for _, e := range page.Entries {
			b, err := json.Marshal(e) // on one line
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "id: %d\nevent: entry\ndata: %s\n\n", e.Number, b); err != nil {
				return
			}
			from = e.Number + 1
		}
		if page.Ended {
			_, _ = fmt.Fprint(w, "event: end\ndata: {}\n\n")
		} else if len(page.Entries) == 0 {
			_, _ = fmt.Fprint(w, ": waiting\n\n")
		}
		if out.Flush() != nil || page.Ended {
			return
		}
	}
}
