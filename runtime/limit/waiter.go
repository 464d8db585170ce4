package limit

import (
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// slotWaiters are those that were refused slots a moment ago and ask again, here or
// at a server that has told of it: what is refused leaves nothing in the database.
type slotWaiters struct {
	sync.Mutex
	of map[core.UUID]announcedWait
}

type announcedWait struct {
	core.SlotWait
	at core.Time // the other servers were told
}

const (
	maxWaiting    = 10_000
	askedWithin   = 15 * time.Second // clients ask again at least so often, or when they are told to
	announceEvery = 5 * time.Second
)

// note takes up who waits, or waits no longer, and returns whether the others
// are to be told.
func (w *slotWaiters) note(x core.SlotWait, now core.Time) bool {
	w.Lock()
	defer w.Unlock()
	old, was := w.of[x.Holder]
	if x.Until.IsZero() {
		delete(w.of, x.Holder)
		return was
	}
	if w.of == nil || len(w.of) >= maxWaiting {
		w.of = map[core.UUID]announcedWait{}
	}
	news := !was || old.Limit != x.Limit || old.Slots != x.Slots || now.Sub(old.at) >= announceEvery
	if news {
		old.at = now
	}
	w.of[x.Holder] = announcedWait{x, old.at}
	return news
}

// refused notes that a holder waits for slots of a limit, and tells the others.
func (s *Limits) refused(r core.SlotRequest, limit string, retryAfter float64) {
	if _, id := holderOf(r.Holder); !id.IsZero() {
		s.announce(
			core.SlotWait{Holder: id, Limit: limit, Slots: r.Slots, Until: s.now().Add(max(askedWithin, 2*core.Seconds(retryAfter).Duration()))},
		)
	}
}

// served notes that it waits no longer.
func (s *Limits) served(holder core.JSON) {
	if _, id := holderOf(holder); !id.IsZero() {
		s.announce(core.SlotWait{Holder: id})
	}
}

func (s *Limits) announce(x core.SlotWait) {
	if s.waiters.note(x, s.now()) && s.store.Shared() {
		s.bus.Publish(core.Message{Topic: core.TopicSlot, Wait: &x})
	}
}

// ask is what a run waits for, its limit "" if nothing.
func (w *slotWaiters) ask(id core.UUID, now core.Time) core.SlotWait {
	w.Lock()
	defer w.Unlock()
	if x := w.of[id]; x.Until >= now {
		return x.SlotWait
	}
	return core.SlotWait{Holder: id}
}

// slots sums what is waited for by limit.
func (w *slotWaiters) slots(now core.Time) map[string]int64 {
	w.Lock()
	defer w.Unlock()
	sum := map[string]int64{}
	for _, x := range w.of {
		if x.Until >= now {
			sum[x.Limit] += x.Slots
		}
	}
	return sum
}

func (w *slotWaiters) none() bool {
	w.Lock()
	defer w.Unlock()
	return len(w.of) == 0
}
