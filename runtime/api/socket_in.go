package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

// One commit takes at most inBatch events, and waits gather for more after the
// first: a task's three events come within a few milliseconds, and joined they
// are one write of its task run. Nobody is answered, so nobody waits.
const (
	inBatch = 200
	gather  = 100 * time.Millisecond
	// outage is how long events that were read wait for a database that is
	// away. Meanwhile no more are read, and the client keeps its own.
	outage = time.Minute
)

// eventsIn takes events from clients. 3.4.9 offers no subprotocol, greets not
// and sends at once; newer ones offer "prefect" and wait to be let in. Nothing
// is answered but pings, which the library does while we read.
func (a *API) eventsIn(w http.ResponseWriter, r *http.Request) {
	s, ok := a.open(w, r, false)
	if !ok {
		return
	}
	defer func() { _ = s.CloseNow() }()
	ctx := r.Context()
	if s.Subprotocol() == subprotocol {
		var err error
		if ctx, err = a.greet(r, s); err != nil {
			return
		}
	}
	ctx, vanished := context.WithCancelCause(ctx)
	defer vanished(nil)
	go s.stayAwake(ctx, vanished)
	// Reading and writing overlap, so that many events share one commit.
	client := core.NewID()
	queue := make(chan *core.Event, inBatch)
	written := make(chan struct{})
	holds, stopped := false, r.Context().Done()
	go func() {
		defer close(written)
		// Events that were read are written even if the client has gone.
		holds = a.takeEvents(context.WithoutCancel(ctx), stopped, client, queue)
	}()
	var lost bool
	for {
		_, b, err := s.Read(ctx)
		if err != nil {
			// No farewell, and it is not us who end: the process died, or the network did.
			lost = websocket.CloseStatus(err) == -1 && ctx.Err() == nil
			break
		}
		e, err := eventFrame(b)
		if err != nil {
			// The connection stays: its client would send the same event again on
			// the next one, and those after it would never arrive.
			a.log.Warn("event refused", "error", err, "from", r.RemoteAddr)
			continue
		}
		if e != nil && len(b) <= maxEvent {
			queue <- e
		}
	}
	close(queue)
	<-written
	if lost && holds {
		if err := a.Limits.LoseClient(context.WithoutCancel(ctx), client); err != nil {
			a.log.Error("slots of a lost client not freed", "error", err)
		}
	}
	_ = s.Close(websocket.StatusNormalClosure, "")
}

// eventFrame is nil for what newer clients send between their events.
func eventFrame(b []byte) (*core.Event, error) {
	b, err := admitted(b)
	if err != nil {
		return nil, err
	}
	e := &core.Event{}
	if err := json.Unmarshal(b, e); err != nil {
		if err := diagnose(&op{}, b, e); err != nil {
			return nil, err
		}
		return nil, err
	}
	if e.ID.IsZero() && e.Event == "" && e.Resource == nil {
		var f frame
		if json.Unmarshal(b, &f) == nil && f.Type != "" {
			return nil, nil
		}
	}
	return e, checkEvent(e)
}

func (a *API) takeEvents(ctx context.Context, stopped <-chan struct{}, client core.UUID, queue <-chan *core.Event) (holdsSlots bool) {
	for e := range queue {
		batch := []*core.Event{e}
		enough := time.After(gather)
	more:
		for len(batch) < inBatch {
			select {
			case e, open := <-queue:
				if !open {
					break more
				}
				batch = append(batch, e)
			case <-enough:
				break more
			}
		}
		err := a.emit(ctx, stopped, batch)
		if core.CodeOf(err) == core.EForbidden { // which are named in the log
			batch, _, err = a.Runs.PermitEvents(ctx, batch)
		}
		if err != nil {
			a.log.Error("events not written", "error", err)
		}
		holds, err := a.Limits.HearOfSlots(ctx, client, batch)
		if err != nil {
			a.log.Error("holders of slots not noted", "error", err)
		}
		holdsSlots = holdsSlots || holds
	}
	return holdsSlots
}

// emit tries again while the database is away: nobody else has these events.
func (a *API) emit(ctx context.Context, stopped <-chan struct{}, batch []*core.Event) error {
	end := time.NewTimer(outage)
	defer end.Stop()
	again := backoff.Pauses{First: 100 * time.Millisecond, Limit: 2 * time.Second}
	for {
		err := a.Events.EmitEvents(ctx, batch)
		if core.CodeOf(err) != core.EUnavailable {
			return err
		}
		select {
		case <-stopped:
			return err
		case <-end.C:
			return err
		case <-time.After(again.Next()):
		}
	}
}
