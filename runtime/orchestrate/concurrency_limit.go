package orchestrate

import (
	"context"
	"math"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// averageOccupancy is what a limit starts from, in seconds.
const averageOccupancy = 2.0

func newLimit(now core.Time, name string, limit int64) *core.GlobalConcurrencyLimit {
	return &core.GlobalConcurrencyLimit{
		ID: core.NewID(), Created: now, Updated: now, Active: true, Name: name, Limit: limit, AvgSlotOccupancySeconds: averageOccupancy,
	}
}

// CreateGlobalLimit returns EConflict for a taken name.
func (s *Service) CreateGlobalLimit(ctx context.Context, c core.GlobalConcurrencyLimitCreate) (*core.GlobalConcurrencyLimit, error) {
	if err := checkName("concurrency limit", c.Name); err != nil {
		return nil, err
	}
	l := newLimit(s.now(), c.Name, c.Limit)
	l.Active, l.ActiveSlots, l.DeniedSlots = c.Active.Or(true), c.ActiveSlots, c.DeniedSlots
	l.SlotDecayPerSecond, l.AvgSlotOccupancySeconds = c.SlotDecayPerSecond, c.AvgSlotOccupancySeconds.Or(averageOccupancy)
	if err := checkGlobalLimit(l); err != nil {
		return nil, err
	}
	err := s.write(ctx, func(tx core.Tx, _ *outbox) error {
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
	case l.Limit < 0:
		return invalidField("limit", "limit must be 0 or more")
	case l.ActiveSlots < 0:
		return invalidField("active_slots", "active_slots must be 0 or more")
	case l.SlotDecayPerSecond < 0:
		return invalidField("slot_decay_per_second", "slot_decay_per_second must be 0 or more")
	}
	return nil
}

// UpdateGlobalLimit returns ENotFound, or EConflict for a taken name.
func (s *Service) UpdateGlobalLimit(ctx context.Context, id core.UUID, u core.GlobalConcurrencyLimitUpdate) error {
	return s.write(ctx, func(tx core.Tx, _ *outbox) error {
		l, err := tx.GlobalLimit(ctx, id)
		if err != nil {
			return err
		}
		l.Active, l.Limit = u.Active.Or(l.Active), u.Limit.Or(l.Limit)
		l.ActiveSlots, l.DeniedSlots = u.ActiveSlots.Or(l.ActiveSlots), u.DeniedSlots.Or(l.DeniedSlots)
		l.SlotDecayPerSecond = u.SlotDecayPerSecond.Or(l.SlotDecayPerSecond)
		if name := u.Name.Ptr(); name != nil && *name != l.Name {
			if err := checkName("concurrency limit", *name); err != nil {
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
func (s *Service) DeleteGlobalLimit(ctx context.Context, id core.UUID) error {
	return s.write(ctx, func(tx core.Tx, _ *outbox) error {
		if _, err := tx.GlobalLimit(ctx, id); err != nil {
			return err
		}
		return tx.DeleteGlobalLimit(ctx, id)
	})
}

// IncrementSlots takes slots for a client that gives them back by
// DecrementSlots or, on a limit with decay, not at all. Unknown names are
// ignored. ELocked with RetryAfter where any limit is full; then none is taken.
func (s *Service) IncrementSlots(ctx context.Context, r core.SlotRequest) (granted []core.MinimalLimit, err error) {
	if err := checkSlots(r); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx core.Tx, _ *outbox) error {
		granted = []core.MinimalLimit{}
		limits, err := s.roomFor(ctx, tx, r)
		if err != nil {
			return err
		}
		for _, l := range limits {
			granted = append(granted, core.MinimalLimit{ID: l.ID, Name: l.Name, Limit: l.Limit})
			if err := s.count(ctx, tx, l, r.Slots); err != nil {
				return err
			}
		}
		return nil
	})
	return granted, err
}

// count adds to the slots of clients without a lease.
func (s *Service) count(ctx context.Context, tx core.Tx, l *core.GlobalConcurrencyLimit, slots int64) error {
	if !l.Active {
		return nil
	}
	l.ActiveSlots, l.Updated = decayed(l, s.now())+slots, s.now()
	return tx.UpdateGlobalLimit(ctx, l)
}

func checkSlots(r core.SlotRequest) error {
	switch {
	case r.Slots < 1:
		return invalidField("slots", "slots must be 1 or more")
	case len(r.Names) == 0:
		return invalidField("names", "names must name at least one limit")
	case r.Mode != "" && r.Mode != "concurrency" && r.Mode != "rate_limit":
		return invalidField("mode", "mode must be concurrency or rate_limit")
	}
	return nil
}

// roomFor locks the named limits and refuses unless each has room.
func (s *Service) roomFor(ctx context.Context, tx core.Tx, r core.SlotRequest) ([]*core.GlobalConcurrencyLimit, error) {
	limits, err := tx.LockGlobalLimits(ctx, r.Names)
	if err != nil {
		return nil, err
	}
	for _, l := range limits {
		if !l.Active {
			continue
		}
		if r.Mode == "rate_limit" && l.SlotDecayPerSecond == 0 {
			return nil, core.Errorf(core.EInvalid, "Only concurrency limits with slot decay can be used for rate limiting; give %q a slot_decay_per_second", l.Name)
		}
		if r.Slots > l.Limit && l.Limit > 0 {
			return nil, core.Errorf(core.EInvalid, "Slots requested is greater than the limit: %q has %d, asked were %d", l.Name, l.Limit, r.Slots)
		}
	}
	for _, l := range limits {
		if !l.Active {
			continue
		}
		held, err := tx.SlotsHeld(ctx, l.ID, s.now())
		if err != nil {
			return nil, err
		}
		if held+decayed(l, s.now())+r.Slots > l.Limit {
			return nil, &core.Error{Code: core.ELocked, Message: "Locked", RetryAfter: retryAfter(l, r.Slots)}
		}
	}
	return limits, nil
}

// decayed is what is left of the counted slots.
func decayed(l *core.GlobalConcurrencyLimit, now core.Time) int64 {
	gone := math.Floor(l.SlotDecayPerSecond * max(now.Sub(l.Updated).Seconds(), 0))
	return max(0, l.ActiveSlots-int64(min(gone, float64(l.ActiveSlots))))
}

// retryAfter is when asking again makes sense: by the decay, else by how long
// slots are held on average.
func retryAfter(l *core.GlobalConcurrencyLimit, slots int64) float64 {
	if l.SlotDecayPerSecond > 0 {
		return float64(slots) / l.SlotDecayPerSecond
	}
	return l.AvgSlotOccupancySeconds * float64(slots) / float64(max(l.Limit, 1))
}

// DecrementSlots gives back what IncrementSlots took.
func (s *Service) DecrementSlots(ctx context.Context, r core.SlotRelease) (released []core.MinimalLimit, err error) {
	if r.Slots < 1 {
		return nil, invalidField("slots", "slots must be 1 or more")
	}
	err = s.write(ctx, func(tx core.Tx, _ *outbox) error {
		released = []core.MinimalLimit{}
		limits, err := tx.LockGlobalLimits(ctx, r.Names)
		if err != nil {
			return err
		}
		for _, l := range limits {
			released = append(released, core.MinimalLimit{ID: l.ID, Name: l.Name, Limit: l.Limit})
			l.ActiveSlots = max(0, decayed(l, s.now())-r.Slots)
			if r.OccupancySeconds != nil {
				occupied(l, *r.OccupancySeconds, r.Slots)
			}
			l.Updated = s.now()
			if err := tx.UpdateGlobalLimit(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
	return released, err
}

// occupied moves the average towards how long slots were held.
func occupied(l *core.GlobalConcurrencyLimit, seconds float64, slots int64) {
	each := max(seconds/float64(slots), 0.1)
	l.AvgSlotOccupancySeconds += (each - l.AvgSlotOccupancySeconds) / float64(2*max(l.Limit, 1))
}

const (
	minSlotLease, maxSlotLease, defaultSlotLease = 60.0, 86400.0, 300.0
)

// AcquireSlots takes slots under a lease: they return when it is released, or
// by themselves when it is not renewed. Slots of a limit with decay are not
// held, they decay. ELocked as IncrementSlots.
func (s *Service) AcquireSlots(ctx context.Context, r core.SlotRequest) (grant *core.SlotGrant, err error) {
	if err := checkSlots(r); err != nil {
		return nil, err
	}
	seconds := r.LeaseDuration
	if seconds == 0 {
		seconds = defaultSlotLease
	}
	if seconds < minSlotLease || seconds > maxSlotLease {
		return nil, invalidField("lease_duration", "a slot lease must last 60 to 86400 seconds")
	}
	err = s.write(ctx, func(tx core.Tx, _ *outbox) error {
		limits, err := s.roomFor(ctx, tx, r)
		if err != nil {
			return err
		}
		now := s.now()
		lease := &core.SlotLease{ID: core.NewID(), Created: now, Expires: now.Add(core.Seconds(seconds).Duration()), Limits: []core.UUID{}, Slots: r.Slots, Holder: r.Holder}
		grant = &core.SlotGrant{LeaseID: lease.ID, Limits: []core.MinimalLimit{}}
		for _, l := range limits {
			grant.Limits = append(grant.Limits, core.MinimalLimit{ID: l.ID, Name: l.Name, Limit: l.Limit})
			switch {
			case !l.Active:
			case l.SlotDecayPerSecond > 0:
				err = s.count(ctx, tx, l, r.Slots)
			default:
				lease.Limits = append(lease.Limits, l.ID)
			}
			if err != nil {
				return err
			}
		}
		return tx.PutSlotLease(ctx, lease)
	})
	return grant, err
}

// RenewSlots keeps a lease for so many seconds from now (0: 300). ENotFound if
// it has run out: its slots may be another's by now.
func (s *Service) RenewSlots(ctx context.Context, leaseID core.UUID, seconds float64) error {
	if seconds == 0 {
		seconds = defaultSlotLease
	}
	if seconds < minSlotLease || seconds > maxSlotLease {
		return invalidField("lease_duration", "a slot lease must last 60 to 86400 seconds")
	}
	return s.write(ctx, func(tx core.Tx, _ *outbox) error {
		lease, err := tx.SlotLease(ctx, leaseID)
		if err == nil && lease.Expires <= s.now() {
			err = core.NotFound("Lease")
		}
		if err != nil {
			return err
		}
		lease.Expires = s.now().Add(core.Seconds(seconds).Duration())
		return tx.PutSlotLease(ctx, lease)
	})
}

// ReleaseSlots ends a lease. One that is gone already is released.
func (s *Service) ReleaseSlots(ctx context.Context, leaseID core.UUID) error {
	return s.write(ctx, func(tx core.Tx, _ *outbox) error {
		lease, err := tx.SlotLease(ctx, leaseID)
		if core.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		held := s.now().Sub(lease.Created).Truncate(time.Millisecond).Seconds()
		for _, id := range lease.Limits {
			l, err := tx.GlobalLimit(ctx, id)
			if core.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			// Updated dates the decay of the counted slots; it stays.
			occupied(l, held, lease.Slots)
			if err := tx.UpdateGlobalLimit(ctx, l); err != nil {
				return err
			}
		}
		return tx.DeleteSlotLease(ctx, leaseID)
	})
}

// ExpireSlotLeases drops what was not renewed and returns how many.
func (s *Service) ExpireSlotLeases(ctx context.Context) (n int, err error) {
	err = s.write(ctx, func(tx core.Tx, _ *outbox) error {
		dropped, err := tx.DeleteExpiredSlotLeases(ctx, s.now())
		n = int(dropped)
		return err
	})
	return n, err
}
