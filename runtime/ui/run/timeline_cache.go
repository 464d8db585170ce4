package run

import (
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/timeline"
)

const (
	freshItems = time.Second      // of a run that goes on
	finalItems = 30 * time.Second // of one that has ended, while it has the same state
	keptItems  = 200_000          // of all runs together
)

// timelines keeps what was read of runs for a moment: a reader turns pages,
// opens groups and changes views, and several may look at the same run.
type timelines struct {
	sync.Mutex
	of map[core.UUID]*keptTimeline
	n  int
}

type keptTimeline struct {
	sync.Mutex // one reads, the others wait for it
	state      core.UUID
	at         core.Time
	items      []*timeline.Item
	partial    bool
	took       time.Duration
}

func (c *timelines) get(run views.Run, now core.Time, read func() ([]*timeline.Item, bool, error)) ([]*timeline.Item, bool, error) {
	c.Lock()
	if c.n > keptItems || c.of == nil {
		c.of, c.n = map[core.UUID]*keptTimeline{}, 0
	}
	k := c.of[run.ID]
	if k == nil {
		k = &keptTimeline{}
		c.of[run.ID] = k
		c.n++ // an empty one takes room too
	}
	c.Unlock()
	k.Lock()
	defer k.Unlock()
	fresh := max(freshItems, 3*k.took) // a huge run that goes on is not read without a pause
	if run.Final() {
		fresh = finalItems
	}
	if k.state == run.StateID && k.at != 0 && now.Sub(k.at) >= 0 && now.Sub(k.at) < fresh {
		return k.items, k.partial, nil
	}
	began := time.Now()
	items, partial, err := read()
	if err != nil {
		return nil, false, err
	}
	c.Lock()
	c.n += len(items) - len(k.items)
	c.Unlock()
	k.state, k.at, k.items, k.partial, k.took = run.StateID, now, items, partial, time.Since(began)
	return items, partial, nil
}
