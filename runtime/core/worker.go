package core

import "strings"

// Worker is a process that takes runs from a pool.
type Worker struct {
	ID                       UUID   `json:"id"`
	Created                  Time   `json:"created"`
	Updated                  Time   `json:"updated"`
	Name                     string `json:"name"`
	WorkPoolID               UUID   `json:"work_pool_id"`
	LastHeartbeatTime        Time   `json:"last_heartbeat_time"`
	HeartbeatIntervalSeconds *int64 `json:"heartbeat_interval_seconds"`
	Status                   string `json:"status"` // ONLINE while the last heartbeat is younger than 3 intervals

	Flows []string `json:"-"` // see Capability
}

type WorkerHeartbeat struct {
	Name                     string `json:"name"`
	HeartbeatIntervalSeconds *int64 `json:"heartbeat_interval_seconds,omitempty"`
	// LastAfter is flowlite's own: the worker ends, so many seconds after its
	// heartbeat before.
	LastAfter *Seconds `json:"last_after,omitempty"`
	// Flows is flowlite's own: see Capability.
	Flows []string `json:"flows"`
}

// Capability says which runs a worker can execute. Its zero value allows all.
type Capability struct {
	// Flows are the names of the flows that the worker executes in its own
	// process; a run that NeedsFlow must be of one of them. Nil allows all:
	// other workers and older versions do not announce their flows.
	Flows []string `json:"flows"`
	// Except are deployments whose runs the worker was not able to start.
	Except []UUID `json:"except,omitempty"`
}

// NeedsFlow says whether only a worker whose program has the run's flow can
// execute the run: its deployment, which may be nil, has no entrypoint, and no
// job variable names a command.
func NeedsFlow(p *WorkPool, d *Deployment, r *FlowRun) bool {
	if p.HasCommand() || isCommand(r.JobVariables.Map()["command"]) {
		return false
	}
	return d == nil || Deref(d.Entrypoint) == "" && !isCommand(d.JobVariables.Map()["command"])
}

// isCommand says whether a decoded job variable starts something.
func isCommand(v any) bool {
	text, is := v.(string)
	return v != nil && (!is || strings.TrimSpace(text) != "")
}

type WorkerFilter struct {
	Operator          Operator    `json:"operator,omitempty"`
	LastHeartbeatTime *TimeFilter `json:"last_heartbeat_time,omitempty"`
	Status            *TextFilter `json:"status,omitempty"`
}

// ClaimableRun is a due flow run.
type ClaimableRun struct{ ID, DeploymentID UUID }

// PollRequest asks a pool for work. It is answered at once when there is any,
// else when some comes or Wait has passed.
type PollRequest struct {
	Pool   string   `json:"-"`
	Queues []string `json:"queues,omitempty"` // empty: all
	Holder UUID     `json:"holder"`           // the worker process; made anew at each start
	Worker string   `json:"worker"`           // its name
	Free   int      `json:"free"`             // how many runs it would take; 0 waits for cancellations only
	Wait   Seconds  `json:"wait"`             // at most 30
	Known  []UUID   `json:"known,omitempty"`  // cancellations it has already been told
	Capability
}

// PollResponse carries claimed runs, already PENDING and leased to the holder,
// and the holder's runs that somebody wants cancelled.
type PollResponse struct {
	Claims []Claim `json:"claims"`
	Cancel []UUID  `json:"cancel"`
}

// Claim is one run given to a worker, with what it needs to launch it.
type Claim struct {
	FlowRun    *FlowRun    `json:"flow_run"`
	Flow       *Flow       `json:"flow"`
	Deployment *Deployment `json:"deployment"`
	WorkPool   *WorkPool   `json:"work_pool"`
	Token      UUID        `json:"token"`          // fencing token: sent with every write of this run
	Auth       string      `json:"auth,omitempty"` // the run's own auth string, where the server asks for credentials
}

// Lease says who executes a run, and until when the holder must renew.
type Lease struct {
	FlowRunID UUID   `json:"flow_run_id"`
	Holder    UUID   `json:"holder"`
	Worker    string `json:"worker"`
	Token     UUID   `json:"token"`
	Expires   Time   `json:"expires"`
	Auth      string `json:"auth,omitempty"` // as in Claim; not stored
}

// LeaseReleased is the expiry of a lease whose holder is known to have ended.
const LeaseReleased Time = 1

// LeaseSeconds is how long a lease lasts without renewal; holders renew at a
// third of it, so that a dead holder is noticed within 12 s.
const LeaseSeconds Seconds = 10
