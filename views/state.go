package views

import (
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Tone is the look of a state: the part of the class name after "st-".
func Tone(t core.StateType, name string) string {
	switch {
	case t == core.Scheduled && name == core.NameLate:
		return "late"
	case t == core.Running && (name == core.NameRetrying || name == core.NameRerunning):
		return "retrying"
	case t == core.Completed && name == core.NameCached:
		return "cached"
	}
	switch t {
	case core.Scheduled:
		return "scheduled"
	case core.Running:
		return "running"
	case core.Paused:
		return "paused"
	case core.Completed:
		return "completed"
	case core.Failed:
		return "failed"
	case core.Crashed:
		return "crashed"
	case core.Cancelled, core.Cancelling:
		return "cancelled"
	}
	return "pending"
}

// Tones in the order of a stacked bar: problems sit on the baseline, where
// they compare.
var Tones = []string{"failed", "crashed", "late", "cancelled", "paused", "running", "pending", "completed", "scheduled"}

var toneNames = map[string]string{
	"completed": "Completed", "running": "Running", "failed": "Failed", "crashed": "Crashed", "late": "Late",
	"scheduled": "Scheduled", "paused": "Paused", "pending": "Pending", "cancelled": "Cancelled", "cached": "Cached", "retrying": "Retrying",
}

// Run is a flow run with the names it is shown by.
type Run struct {
	*core.FlowRun
	Flow       string
	Deployment string // empty without one
}

func (r Run) Tone() string { return Tone(r.StateType, r.StateName) }

// Source is "flow/deployment", or the flow alone.
func (r Run) Source() string {
	if r.Deployment == "" {
		return r.Flow
	}
	return r.Flow + "/" + r.Deployment
}

func (r Run) When() core.Time {
	if r.StartTime != 0 {
		return r.StartTime
	}
	if r.ExpectedStartTime != 0 {
		return r.ExpectedStartTime
	}
	return r.Created
}

// age is how long ago the run started, or when it is to start.
func (r Run) age(now core.Time) string {
	if r.StartTime != 0 || r.Final() {
		return past(r.When(), now)
	}
	return ago(r.When(), now)
}

// Took is how long the run has been at it, from its first start on.
func (r Run) Took(now core.Time) time.Duration {
	if r.StartTime == 0 {
		return 0
	}
	if r.EndTime == 0 {
		return max(0, now.Sub(r.StartTime))
	}
	return max(0, r.EndTime.Sub(r.StartTime))
}

func (r Run) Message() string {
	if r.State == nil {
		return ""
	}
	return core.Deref(r.State.Message)
}

func (r Run) Final() bool { return r.StateType.Final() }

func (r Run) path() string { return "/flow-runs/" + r.ID.String() }

func (r Run) by() string {
	switch {
	case r.AutoScheduled:
		return "schedule"
	case r.CreatedBy != nil && r.CreatedBy.DisplayValue != nil:
		return *r.CreatedBy.DisplayValue
	case r.CreatedBy != nil && r.CreatedBy.Type != nil:
		return *r.CreatedBy.Type
	}
	return ""
}
