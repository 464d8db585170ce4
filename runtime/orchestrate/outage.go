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
	mu          sync.Mutex
	lastHealthy core.Time // the database answered last
	downSince   core.Time // it is away since; 0: it is there
	graceFrom   core.Time // since when it was the last time
	graceUntil  core.Time // when the grace of that is over
	observed    time.Time
}

// stoodStill is how long between two looks is too long for a process that runs.
const stoodStill = 5 * time.Second

// observe notes whether the database has answered.
func (o *outage) observe(now core.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wake(now)
	switch {
	case core.CodeOf(err) == core.EUnavailable:
		if o.downSince == 0 {
			o.downSince = max(o.lastHealthy, 1)
		}
	case err == nil:
		if o.downSince != 0 {
			o.over(now, o.downSince)
		}
		o.downSince, o.lastHealthy = 0, now
	}
}

// wake notices that the process stood still.
func (o *outage) wake(now core.Time) {
	at := time.Now().Round(0) // the monotonic clock may have stood still, too
	if still := at.Sub(o.observed); !o.observed.IsZero() && still > stoodStill {
		o.over(now, now.Add(-still))
	}
	o.observed = at
}

func (o *outage) over(now, since core.Time) {
	if o.graceUntil < now { // else what was before is not yet over either
		o.graceFrom = since
	}
	o.graceUntil = now.Add(core.LeaseSeconds.Duration())
}

// expiryCutoff is before when a lease must have run out for its holder to be gone.
func (o *outage) expiryCutoff(now core.Time) core.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.observed.IsZero() {
		o.wake(now)
	}
	switch {
	case now < o.graceUntil:
		return max(o.graceFrom, core.LeaseReleased+1)
	case o.downSince != 0:
		return max(o.downSince, core.LeaseReleased+1)
	}
	return now
}
