package limit

import (
	"cmp"
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// averageOccupancy is what a limit starts from, in seconds.
const averageOccupancy = 2.0

func NewLimit(now core.Time, name string, limit int64) *core.GlobalConcurrencyLimit {
	return &core.GlobalConcurrencyLimit{
		ID: core.NewID(), Created: now, Updated: now, Active: true, Name: name, Limit: limit, AvgSlotOccupancySeconds: averageOccupancy,
	}
}

// CreateGlobalLimit returns EConflict for a taken name.
func (s *Limits) CreateGlobalLimit(ctx context.Context, c core.GlobalConcurrencyLimitCreate) (*core.GlobalConcurrencyLimit, error) {
	if err := core.CheckName("concurrency limit", c.Name); err != nil {
		return nil, err
	}
	l := NewLimit(s.now(), c.Name, c.Limit)
	l.Active, l.ActiveSlots, l.DeniedSlots = c.Active.Or(true), c.ActiveSlots, c.DeniedSlots
	l.SlotDecayPerSecond, l.AvgSlotOccupancySeconds = c.SlotDecayPerSecond, c.AvgSlotOccupancySeconds.Or(averageOccupancy)
	if err := checkGlobalLimit(l); err != nil {
		return nil, err
	}
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if _, err := tx.GlobalLimitByName(ctx, c.Name); err == nil {
			return core.Errorf(core.EConflict, "A global concurrency limit with the name %q already exists.", c.Name)
		}
		return tx.InsertGlobalLimit(ctx, l)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func checkGlobalLimit(l *core.GlobalConcurrencyLimit) error {
	switch {
	case l.Limit < 0 && l.Tag() == "": // a tag's limit may be: clients of v1 set it
		return core.InvalidField("limit", "limit must be 0 or more")
	case l.ActiveSlots < 0:
		return core.InvalidField("active_slots", "active_slots must be 0 or more")
	case l.SlotDecayPerSecond < 0:
		return core.InvalidField("slot_decay_per_second", "slot_decay_per_second must be 0 or more")
	}
	return nil
}

// UpdateGlobalLimit returns ENotFound, or EConflict for a taken name.
func (s *Limits) UpdateGlobalLimit(ctx context.Context, id core.UUID, u core.GlobalConcurrencyLimitUpdate) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		l, err := tx.GlobalLimit(ctx, id)
		if err != nil {
			return err
		}
		l.Active, l.Limit = u.Active.Or(l.Active), u.Limit.Or(l.Limit)
		l.ActiveSlots, l.DeniedSlots = DecayedSlots(l, s.now()), u.DeniedSlots.Or(l.DeniedSlots)
		l.SlotDecayPerSecond = u.SlotDecayPerSecond.Or(l.SlotDecayPerSecond)
		if n := u.ActiveSlots.Ptr(); n != nil {
			if l.ActiveSlots, err = s.overrideSlots(ctx, tx, l, *n); err != nil {
				return err
			}
		}
		if name := u.Name.Ptr(); name != nil && *name != l.Name {
			if err := core.CheckName("concurrency limit", *name); err != nil {
				return err
			}
			if _, err := tx.GlobalLimitByName(ctx, *name); err == nil {
				return core.Errorf(core.EConflict, "A global concurrency limit with the name %q already exists.", *name)
			}
			l.Name = *name
		}
		l.Updated = s.now()
		if err := checkGlobalLimit(l); err != nil {
			return err
		}
		return tx.UpdateGlobalLimit(ctx, l)
	})
}

// DeleteGlobalLimit returns ENotFound if there is no such limit.
func (s *Limits) DeleteGlobalLimit(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if _, err := tx.GlobalLimit(ctx, id); err != nil {
			return err
		}
		return tx.DeleteGlobalLimit(ctx, id)
	})
}

// overrideSlots forgets what is held without a lease and returns the count that
// makes n slots occupied. Live leases and runs stay: they are in use.
func (s *Limits) overrideSlots(ctx context.Context, tx Tx, l *core.GlobalConcurrencyLimit, n int64) (int64, error) {
	if n < 0 {
		return 0, core.InvalidField("active_slots", "active_slots must be 0 or more")
	}
	leases, err := tx.SlotLeases(ctx, l.ID, s.now())
	if err != nil {
		return 0, err
	}
	for _, x := range leases {
		if x.Counted {
			if err := tx.DeleteSlotLease(ctx, x.ID); err != nil {
				return 0, err
			}
		}
	}
	held, err := tx.SlotsHeld(ctx, l.ID, s.now())
	return max(0, n-held), err
}

// Holders are those who occupy slots of the limit, oldest first, at most limit
// of each kind: leases and live runs of deployments. Slots that decay have none.
func (s *Limits) Holders(ctx context.Context, limitID core.UUID, limit int) ([]core.SlotHolder, error) {
	leases, err := s.store.SlotLeases(ctx, limitID, s.now())
	if err != nil {
		return nil, err
	}
	var out []core.SlotHolder
	for _, x := range leases[:min(limit, len(leases))] {
		h := core.SlotHolder{Lease: x.ID, Type: x.HolderType, ID: x.HolderID, Slots: x.Slots, Since: x.Created, Expires: x.Expires}
		if h.Type == "" {
			h.Type, h.ID = holderOf(x.Holder)
		}
		out = append(out, h)
	}
	ids, err := s.store.RunsHolding(ctx, limitID, s.now(), limit)
	if err != nil {
		return nil, err
	}
	runs, err := s.store.FlowRunsByIDs(ctx, ids)
	for _, r := range runs {
		since := r.StartTime
		if since == 0 {
			since = core.Deref(r.State).Timestamp
		}
		out = append(out, core.SlotHolder{Type: "flow_run", ID: r.ID, Slots: 1, Since: since, Expires: core.Forever})
	}
	slices.SortStableFunc(out, func(a, b core.SlotHolder) int { return cmp.Compare(a.Since, b.Since) })
	return out, err
}

// ActiveSlots is how many slots of the limit are occupied: counted ones that
// have not decayed, leases, and live runs of deployments.
func (s *Limits) ActiveSlots(ctx context.Context, l *core.GlobalConcurrencyLimit) (int64, error) {
	held, err := s.store.SlotsHeld(ctx, l.ID, s.now())
	return DecayedSlots(l, s.now()) + held, err
}
