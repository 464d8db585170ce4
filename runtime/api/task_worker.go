package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) taskWorkers() group {
	return group{"/task_workers", []op{
		post("/filter", func(_ context.Context, in *withBody[struct {
			Filter *struct {
				Keys []string `json:"task_keys"`
			} `json:"task_worker_filter"`
		}]) ([]core.TaskWorker, error) {
			if in.Body.Filter == nil {
				return a.Runs.TaskWorkers(nil), nil
			}
			return a.Runs.TaskWorkers(in.Body.Filter.Keys), nil
		}, strict).runs(),
	}}
}

// closeTask is the code with which a task worker's connection ends when it
// does not keep to the protocol.
const closeTask = 4001

// scheduledTasks hands background task runs to a task worker, which
// acknowledges each. One that is not acknowledged goes to the next worker.
func (a *API) scheduledTasks(w http.ResponseWriter, r *http.Request) {
	s, ok := a.open(w, r, true)
	if !ok {
		return
	}
	defer func() { _ = s.CloseNow() }()
	if _, err := a.greet(r, s); err != nil {
		return
	}
	keys, client, err := s.subscribed(r.Context())
	if err != nil {
		return
	}
	feed := a.Runs.FeedTasks(client, keys)
	defer feed.Close()
	ctx, frames := s.listen(r.Context())
	for {
		run, err := feed.Next(ctx)
		if err != nil {
			switch {
			case errors.Is(err, errQuit):
				_ = s.Close(websocket.StatusNormalClosure, "")
			case core.CodeOf(err) == core.EUnavailable:
				_ = s.Close(websocket.StatusGoingAway, "The server stops")
			}
			return
		}
		// Not with ctx: a client that quits upon the first byte would cut the frame's end.
		if s.send(r.Context(), run) != nil {
			return
		}
		var f frame
		select {
		case f = <-frames:
		case <-ctx.Done():
		}
		switch {
		case f.Type == "ack":
			if err := feed.Ack(ctx); err != nil {
				a.log.Error("acknowledgement of a background task run lost", "task_run", run.ID, "worker", client, "error", err)
				return
			}
		case errors.Is(context.Cause(ctx), errQuit):
			_ = s.Close(websocket.StatusNormalClosure, "")
			return
		case ctx.Err() != nil:
			return
		default:
			_ = s.Close(closeTask, "Protocol violation: expected 'ack' message")
			return
		}
	}
}

// subscribed reads what a task worker wants; anything else is 4001.
func (s *socket) subscribed(ctx context.Context) (keys []string, client string, err error) {
	ctx, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	_, b, err := s.Read(ctx)
	if err != nil {
		return nil, "", err
	}
	var f struct {
		Type   string   `json:"type"`
		Keys   []string `json:"keys"`
		Client string   `json:"client_id"`
	}
	err = json.Unmarshal(b, &f)
	var expected string
	switch {
	case f.Type != "subscribe":
		expected = "expected 'subscribe' message"
	case err != nil || len(f.Keys) == 0:
		expected = "expected 'keys' in subscribe message"
	case f.Client == "":
		expected = "expected 'client_id' in subscribe message"
	default:
		return f.Keys, f.Client, nil
	}
	_ = s.Close(closeTask, "Protocol violation: "+expected)
	return nil, "", errRefused
}

var (
	errQuit = errors.New("the client says that it leaves")
	errGone = errors.New("the client has gone")
)

// listen reads frames beside what is sent, so that the end of the connection is
// seen at once: its context ends then, and also when the client quits.
func (s *socket) listen(ctx context.Context) (context.Context, <-chan frame) {
	ctx, cancel := context.WithCancelCause(ctx)
	frames := make(chan frame, 1)
	go s.stayAwake(ctx, cancel)
	go func() {
		for {
			var f frame
			_, b, err := s.Read(ctx)
			if err != nil {
				cancel(errGone)
				return
			}
			if json.Unmarshal(b, &f) == nil && f.Type == "quit" {
				cancel(errQuit)
				return
			}
			select {
			case frames <- f:
			default: // more than the one answer that is owed
				_ = s.Close(closeTask, "Protocol violation: expected one 'ack' message")
				cancel(errGone)
				return
			}
		}
	}()
	return ctx, frames
}
