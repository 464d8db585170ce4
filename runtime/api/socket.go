package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) sockets() group {
	return group{"", []op{
		socketOp("/events/in", a.eventsIn).runs(),
		socketOp("/events/out", a.eventsOut).runs(),
		socketOp("/logs/out", a.logsOut).runs(),
		socketOp("/task_runs/subscriptions/scheduled", a.scheduledTasks),
		socketOp("/work_pools/{name}/workers/connect", a.workerChannel),
	}}
}

const (
	// maxFrame: a library's usual 32 KiB would lose task runs with large payloads silently.
	maxFrame = 4 << 20
	// maxGreeting is enough for credentials: who has none must not fill the memory.
	maxGreeting = 16 << 10
	// greeting is how long a client may take to say who it is and what it wants.
	greeting = 30 * time.Second
	// strangerGreeting is the same for a client without credentials in its header.
	strangerGreeting = 10 * time.Second
	// writeWait is how long a client may keep a frame from being sent.
	writeWait = 30 * time.Second
	// pingEvery finds clients that vanished without a word.
	pingEvery = 20 * time.Second

	subprotocol = "prefect"
)

// socket is an accepted connection. Its ctx ends with the connection.
type socket struct {
	*websocket.Conn
	known func() // ends its place among those that have shown no credentials
}

func (s *socket) CloseNow() error {
	s.known()
	return s.Conn.CloseNow()
}

// open upgrades. A browser's page of another origin is refused by the library.
func (a *API) open(w http.ResponseWriter, r *http.Request, must bool) (*socket, bool) {
	if must && !offers(r) {
		writeDetail(w, http.StatusForbidden, "The websocket must offer the subprotocol \"prefect\"")
		return nil, false
	}
	known, limit := func() {}, int64(maxFrame)
	if a.Access.Asks() && !vouched(r) { // until it has greeted
		leave, err := a.Access.Admit(r)
		if err != nil {
			a.refuse(w, r, err)
			return nil, false
		}
		known, limit = leave, maxGreeting
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		known()
		return nil, false // Accept has answered
	}
	c.SetReadLimit(limit)
	return &socket{c, known}, true
}

func offers(r *http.Request) bool {
	for _, v := range r.Header.Values("Sec-WebSocket-Protocol") {
		if slices.Contains(splitComma(v), subprotocol) {
			return true
		}
	}
	return false
}

type frame struct {
	Type     string          `json:"type"`
	Token    *string         `json:"token"`
	Filter   json.RawMessage `json:"filter"`
	Backfill *bool           `json:"backfill"`
}

var errRefused = errors.New("refused")

// greet asks for the token: wrong is 1008. Who had credentials in the header of r
// needs none here. The context is that of the connection from here on.
func (a *API) greet(r *http.Request, s *socket) (context.Context, error) {
	whole, within := r.Context(), greeting
	if a.Access.Asks() && !vouched(r) {
		within = strangerGreeting
	}
	ctx, cancel := context.WithTimeout(whole, within)
	defer cancel()
	var f frame
	_, b, err := s.Read(ctx)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(b, &f) != nil || f.Type != "auth" {
		_ = s.Close(websocket.StatusPolicyViolation, "Expected 'auth' message")
		return nil, errRefused
	}
	if a.Access.Asks() && !vouched(r) {
		caller, err := a.Access.Token(r, core.Deref(f.Token))
		if err != nil {
			_ = s.Close(websocket.StatusPolicyViolation, reason("Invalid token: "+err.Error()))
			return nil, errRefused
		}
		o, _ := whole.Value(socketKey{}).(*op)
		if whole, err = a.call(whole, r, o, caller); err != nil {
			_ = s.Close(websocket.StatusPolicyViolation, reason(err.Error()))
			return nil, errRefused
		}
	}
	s.known()
	s.SetReadLimit(maxFrame)
	return whole, s.send(ctx, map[string]string{"type": "auth_success"})
}

// wish reads the filter frame into f; anything else is 1002.
func (s *socket) wish(ctx context.Context, f any) (backfill bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	_, b, err := s.Read(ctx)
	if err != nil {
		return false, err
	}
	var w frame
	if json.Unmarshal(b, &w) != nil || w.Type != "filter" {
		_ = s.Close(websocket.StatusProtocolError, "Expected 'filter' message")
		return false, errRefused
	}
	if len(w.Filter) > 0 {
		// Unknown keys count here at every depth: an ignored filter sends the wrong rows.
		err := strictly(w.Filter, f)
		if err != nil {
			_ = s.Close(websocket.StatusProtocolError, reason("Invalid filter: "+err.Error()))
			return false, errRefused
		}
	}
	return w.Backfill == nil || *w.Backfill, nil
}

func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	return diagnose(&op{strict: true}, b, v)
}

// reason fits a close frame, which holds 123 bytes.
func reason(s string) string {
	if len(s) > 120 {
		s = s[:120]
	}
	return s
}

// onlySend is for connections on which the client has nothing more to say: the
// context ends with the connection.
func (s *socket) onlySend(ctx context.Context) context.Context {
	ctx, gone := context.WithCancelCause(s.CloseRead(ctx))
	go s.stayAwake(ctx, gone)
	return ctx
}

// stayAwake pings, and ends the connection of a client that does not answer.
// Somebody must be reading meanwhile.
func (s *socket) stayAwake(ctx context.Context, gone context.CancelCauseFunc) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			wait, cancel := context.WithTimeout(ctx, pingEvery)
			err := s.Ping(wait)
			cancel()
			if err != nil {
				gone(errGone)
				_ = s.CloseNow()
				return
			}
		}
	}
}

func (s *socket) send(ctx context.Context, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	return s.Write(ctx, websocket.MessageText, b)
}
