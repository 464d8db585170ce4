package orchestrate

import (
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// outage is when nobody could renew a lease: the database was away, or this
// process, and with it perhaps the machine, stood still. Leases that ran out
// meanwhile say nothing of their holders, until those had time to renew.
type outage struct {
	mu    sync.Mutex
	well  core.Time // the database answered last
	since core.Time // it is away since; 0: it is there
	from  core.Time // since when it was the last time
	until core.Time // when the grace of that is over
	asked time.Time
}

// stoodStill is how long between two looks is too long for a process that runs.
const stoodStill = 5 * time.Second

// ask notes whether the database has answered.
func (o *outage) ask(now core.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wake(now)
	switch {
	case core.CodeOf(err) == core.EUnavailable:
		if o.since == 0 {
			o.since = max(o.well, 1)
		}
	case err == nil:
		if o.since != 0 {
			o.over(now, o.since)
		}
		o.since, o.well = 0, now
	}
}

// wake notices that the process stood still.
func (o *outage) wake(now core.Time) {
	at := time.Now().Round(0) // the monotonic clock may have stood still, too
	if still := at.Sub(o.asked); !o.asked.IsZero() && still > stoodStill {
		o.over(now, now.Add(-still))
	}
	o.asked = at
}

func (o *outage) over(now, since core.Time) {
	if o.until < now { // else what was before is not yet over either
		o.from = since
	}
	o.until = now.Add(core.LeaseSeconds.Duration())
}

// cut is before when a lease must have run out for its holder to be gone.
func (o *outage) cut(now core.Time) core.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.asked.IsZero() {
		o.wake(now)
	}
	switch {
	case now < o.until:
		return max(o.from, core.LeaseReleased+1)
	case o.since != 0:
		return max(o.since, core.LeaseReleased+1)
	}
	return now
}
