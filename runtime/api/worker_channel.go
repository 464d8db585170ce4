package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/core"
)

// The channel of a worker of Prefect 3.8 and later: heartbeats one way, the
// pool as it stands the other way. Runs are polled for over REST.
const (
	channelVersion  = "work_pool_worker_channel.v1"
	canHeartbeat    = "worker_heartbeat.v1"
	canSnapshot     = "work_pool_snapshot.v1"
	snapshotEvery   = 5 * time.Second // how soon a worker hears that its pool has changed
	protocolFault   = "protocol_error"
	unknownVersion  = "unsupported_version"
	notPersisted    = "heartbeat_persistence_failed"
	transientFault  = "transient_server_error"
	notYours        = "authorization_failed"
	snapshotInitial = "initial"
	snapshotUpdated = "work_pool_updated"
)

type channelFrame struct {
	Type    string          `json:"type"`
	ID      core.UUID       `json:"id"`
	SentAt  core.Time       `json:"sent_at"`
	Payload json.RawMessage `json:"payload"`
}

type channelHello struct {
	ConsumerID   core.UUID `json:"consumer_id"`
	Worker       string    `json:"worker_name"`
	Type         string    `json:"worker_type"`
	Interval     int64     `json:"heartbeat_interval_seconds"`
	Versions     []string  `json:"supported_channel_versions"`
	Capabilities []string  `json:"requested_capabilities"`
	Queues       []string  `json:"work_queue_names"`
	Create       bool      `json:"create_pool_if_not_found"`
	Template     core.JSON `json:"default_base_job_template"`
}

type channelReady struct {
	ConsumerID   core.UUID       `json:"consumer_id"`
	WorkerID     core.UUID       `json:"worker_id"`
	Version      string          `json:"selected_channel_version"`
	Interval     int64           `json:"effective_heartbeat_interval_seconds"`
	Accepted     []string        `json:"accepted_capabilities"`
	Rejected     []string        `json:"rejected_capabilities"`
	MostCleanups int             `json:"effective_max_cleanup_concurrency"`
	Queues       []resolvedQueue `json:"resolved_work_queues"`
	Snapshot     poolSnapshot    `json:"initial_snapshot"`
}

type resolvedQueue struct {
	ID   core.UUID `json:"id"`
	Name string    `json:"name"`
}

type poolSnapshot struct {
	Sequence int         `json:"snapshot_sequence"`
	Reason   string      `json:"reason"`
	WorkPool workPoolV38 `json:"work_pool"`
}

type workerChannel struct {
	*socket
	a        *API
	pool     string
	id       core.UUID // the pool's
	hello    channelHello
	sequence int
	sent     core.Time // the pool's last change that the worker knows
}

// faultError is why the server ends a channel; the worker decides by its text.
type faultError struct {
	code   websocket.StatusCode
	reason string
}

func (e *faultError) Error() string { return e.reason }

func (a *API) workerChannel(w http.ResponseWriter, r *http.Request) {
	s, ok := a.open(w, r, true)
	if !ok {
		return
	}
	defer func() { _ = s.CloseNow() }()
	if _, err := a.greet(r, s); err != nil {
		return
	}
	c := &workerChannel{socket: s, a: a, pool: r.PathValue("name")}
	// Its end cuts the connection, so the reason for closing goes out before.
	ctx, gone := context.WithCancelCause(r.Context())
	defer gone(errGone)
	err := c.serve(ctx, gone)
	if fault := (*faultError)(nil); errors.As(err, &fault) {
		_ = s.Close(fault.code, fault.reason)
	} else if err != nil && r.Context().Err() == nil && websocket.CloseStatus(err) == -1 {
		a.log.Warn("worker channel ended", "pool", c.pool, "worker", c.hello.Worker, "error", err)
	}
}

func (c *workerChannel) serve(ctx context.Context, gone context.CancelCauseFunc) error {
	if err := c.greetWorker(ctx); err != nil {
		return err
	}
	go c.stayAwake(ctx, gone)
	go func() {
		gone(c.read(ctx))
	}()
	sub := c.a.bus.Subscribe(core.TopicWork, c.id.String(), 1)
	defer sub.Close()
	tick := time.NewTicker(snapshotEvery) // a message may be lost
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case _, open := <-sub.C():
			if !open {
				return &faultError{websocket.StatusInternalError, transientFault}
			}
			if err := c.snapshotIfChanged(ctx); err != nil {
				return err
			}
		case <-tick.C:
			if err := c.snapshotIfChanged(ctx); err != nil {
				return err
			}
		}
	}
}

// greetWorker takes the hello, makes the pool if it may, and answers how
// things stand.
func (c *workerChannel) greetWorker(ctx context.Context) error {
	first, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	_, b, err := c.Read(first)
	if err != nil {
		return err
	}
	var f channelFrame
	h := &c.hello
	if json.Unmarshal(b, &f) != nil || f.Type != "worker.hello.v1" || json.Unmarshal(f.Payload, h) != nil ||
		h.ConsumerID.IsZero() || h.Worker == "" || h.Type == "" || h.Interval <= 0 {
		return &faultError{websocket.StatusProtocolError, protocolFault}
	}
	if !slices.Contains(h.Versions, channelVersion) {
		return &faultError{websocket.StatusPolicyViolation, unknownVersion}
	}
	if !slices.Contains(h.Capabilities, canHeartbeat) || !slices.Contains(h.Capabilities, canSnapshot) {
		return &faultError{websocket.StatusProtocolError, protocolFault}
	}
	if err := c.needPool(ctx); err != nil {
		return err
	}
	if err := c.heartbeat(ctx, h.Interval); err != nil {
		return err
	}
	snapshot, err := c.snapshot(ctx, snapshotInitial)
	if err != nil {
		return err
	}
	ready := channelReady{ConsumerID: h.ConsumerID, Version: channelVersion, Interval: h.Interval,
		Accepted: []string{canHeartbeat, canSnapshot}, Rejected: []string{}, Queues: []resolvedQueue{}, Snapshot: *snapshot}
	for _, can := range h.Capabilities {
		if !slices.Contains(ready.Accepted, can) {
			ready.Rejected = append(ready.Rejected, can)
		}
	}
	queues, err := c.a.store.WorkQueues(ctx, snapshot.WorkPool.ID, nil, core.Page{})
	if err != nil {
		return err
	}
	for _, q := range queues {
		if len(h.Queues) == 0 || slices.Contains(h.Queues, q.Name) {
			ready.Queues = append(ready.Queues, resolvedQueue{q.ID, q.Name})
		}
	}
	return c.tell(ctx, "worker.ready.v1", ready)
}

// needPool makes the worker's pool if there is none, and gives it the worker's
// template if it has none.
func (c *workerChannel) needPool(ctx context.Context) error {
	p, err := c.a.store.WorkPoolByName(ctx, c.pool)
	switch {
	case core.IsNotFound(err) && c.hello.Create:
		_, err = c.a.Runs.CreateWorkPool(ctx, core.WorkPoolCreate{Name: c.pool, Type: c.hello.Type, BaseJobTemplate: c.hello.Template})
		if core.CodeOf(err) == core.EConflict { // another worker was faster
			return nil
		}
		return err
	case core.IsNotFound(err):
		return &faultError{websocket.StatusPolicyViolation, notYours}
	case err != nil:
		return err
	case len(p.BaseJobTemplate.Map()) == 0 && len(c.hello.Template.Map()) > 0:
		return c.a.Runs.UpdateWorkPool(ctx, c.pool, core.WorkPoolUpdate{BaseJobTemplate: core.Some(c.hello.Template)})
	}
	return nil
}

// read takes heartbeats until the worker goes or breaks the protocol.
func (c *workerChannel) read(ctx context.Context) error {
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			return err
		}
		var f channelFrame
		var h struct {
			Interval int64 `json:"heartbeat_interval_seconds"`
		}
		if json.Unmarshal(b, &f) != nil || f.Type != "worker.heartbeat.v1" || json.Unmarshal(f.Payload, &h) != nil || h.Interval <= 0 {
			return &faultError{websocket.StatusProtocolError, protocolFault}
		}
		if err := c.heartbeat(ctx, h.Interval); err != nil {
			return err
		}
	}
}

func (c *workerChannel) heartbeat(ctx context.Context, interval int64) error {
	err := c.a.Runs.Heartbeat(ctx, c.pool, core.WorkerHeartbeat{Name: c.hello.Worker, HeartbeatIntervalSeconds: &interval})
	switch {
	case err == nil:
		return nil
	case core.IsNotFound(err):
		return &faultError{websocket.StatusPolicyViolation, notYours}
	}
	c.a.log.Warn("heartbeat not written", "pool", c.pool, "worker", c.hello.Worker, "error", err)
	return &faultError{websocket.StatusInternalError, notPersisted}
}

func (c *workerChannel) snapshot(ctx context.Context, reason string) (*poolSnapshot, error) {
	p, err := c.a.store.WorkPoolByName(ctx, c.pool)
	if core.IsNotFound(err) {
		return nil, &faultError{websocket.StatusPolicyViolation, notYours}
	}
	if err != nil {
		return nil, &faultError{websocket.StatusInternalError, transientFault}
	}
	pool, err := c.a.workPoolV38(ctx, p)
	if err != nil {
		return nil, &faultError{websocket.StatusInternalError, transientFault}
	}
	c.sequence++
	c.id, c.sent = p.ID, p.Updated
	return &poolSnapshot{c.sequence, reason, pool}, nil
}

func (c *workerChannel) snapshotIfChanged(ctx context.Context) error {
	p, err := c.a.store.WorkPoolByName(ctx, c.pool)
	if err == nil && p.Updated == c.sent {
		return nil
	}
	s, err := c.snapshot(ctx, snapshotUpdated)
	if err != nil {
		return err
	}
	return c.tell(ctx, "work_pool.snapshot.v1", s)
}

func (c *workerChannel) tell(ctx context.Context, kind string, payload any) error {
	return c.send(
		context.WithoutCancel(ctx),
		channelFrame{Type: kind, ID: core.NewID(), SentAt: core.Now(), Payload: json.RawMessage(core.ToJSON(payload))},
	)
}
