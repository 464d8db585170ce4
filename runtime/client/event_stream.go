package client

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/flowlite/flowlite/runtime/core"
)

// maxEventFrame is more than any event has.
const maxEventFrame = 4 << 20

// StreamEvents calls each for every event that the filter takes, those since
// Occurred.Since first, until ctx ends or the server goes.
func (c *Client) StreamEvents(ctx context.Context, filter core.EventFilter, each func(e *core.Event, raw core.JSON) error) error {
	//nolint:bodyclose // the library says: never to be closed by callers
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.URL(), "http")+"/events/out", &websocket.DialOptions{
		HTTPClient: c.http, Subprotocols: []string{"prefect"}})
	if err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxEventFrame)
	var token *string
	if c.token != "" {
		token = &c.token
	}
	if err := wsjson.Write(ctx, conn, map[string]any{"type": "auth", "token": token}); err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	var frame struct {
		Type  string    `json:"type"`
		Event core.JSON `json:"event"`
	}
	if err := wsjson.Read(ctx, conn, &frame); err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	if err := wsjson.Write(ctx, conn, map[string]any{"type": "filter", "filter": filter, "backfill": true}); err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	for {
		if err := wsjson.Read(ctx, conn, &frame); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("event stream: %w", err)
		}
		if frame.Type != "event" {
			continue
		}
		var e core.Event
		if err := json.Unmarshal(frame.Event, &e); err != nil {
			return fmt.Errorf("event stream: %w", err)
		}
		if err := each(&e, frame.Event); err != nil {
			return err
		}
	}
}
