package limit

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// Config is what Limits needs. All fields are required.
type Config struct {
	Store  Store
	Bus    core.Bus
	Commit *commit.Writer
	Now    func() core.Time
}

// Store is what is read outside of a transaction.
type Store interface {
	core.LimitReader
	FlowRunsByIDs(ctx context.Context, ids []core.UUID) ([]*core.FlowRun, error)
	Shared() bool
}

// Tx is what limits read and write in a transaction.
type Tx interface {
	core.LimitReader
	core.LimitTx
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
}

// Limits has the use cases of concurrency limits.
type Limits struct {
	store  Store
	bus    core.Bus
	commit *commit.Writer
	now    func() core.Time

	lost    lostHolders
	waiters slotWaiters
}

// New returns Limits on c.
func New(c Config) *Limits {
	return &Limits{store: c.Store, bus: c.Bus, commit: c.Commit, now: c.Now}
}

// NoteWait takes up what another server tells of one who waits for slots.
func (s *Limits) NoteWait(w core.SlotWait) { s.waiters.note(w, s.now()) }

// WaitsFor is what a run was refused a moment ago; its Limit is "" if nothing.
func (s *Limits) WaitsFor(id core.UUID) core.SlotWait { return s.waiters.ask(id, s.now()) }

// Waiting are the slots that are waited for now, by the name of their limit.
func (s *Limits) Waiting() map[string]int64 { return s.waiters.slots(s.now()) }

// NobodyWaits reports whether no slots were refused lately.
func (s *Limits) NobodyWaits() bool { return s.waiters.none() }

// FollowLost takes up which holders other servers have lost.
func (s *Limits) FollowLost(ctx context.Context) error {
	lost, err := s.store.LostSlotHolders(ctx, s.now())
	if err == nil {
		s.lost.add(lost, s.now().Add(lostGrace))
	}
	return err
}
