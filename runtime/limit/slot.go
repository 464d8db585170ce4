package limit

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// IncrementSlots takes slots for a client that gives them back by
// DecrementSlots or, on a limit with decay, not at all. Unknown names are
// ignored. ELocked with RetryAfter where any limit is full; then none is taken.
func (s *Limits) IncrementSlots(ctx context.Context, r core.SlotRequest) (granted []core.MinimalLimit, err error) {
	if err := checkSlots(r); err != nil {
		return nil, err
	}
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		granted = []core.MinimalLimit{}
		limits, err := s.roomFor(ctx, tx, r)
		if err != nil {
			return err
		}
		for _, l := range limits {
			granted = append(granted, core.MinimalLimit{ID: l.ID, Name: l.Name, Limit: l.Limit})
			if err := s.count(ctx, tx, l, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.served(r.Holder)
	}
	return granted, err
}

// count takes slots that have no lease. What decays returns by itself and is a
// number; all else is a row that remembers who holds it.
func (s *Limits) count(ctx context.Context, tx Tx, l *core.GlobalConcurrencyLimit, r core.SlotRequest) error {
	if !l.Active {
		return nil
	}
	if l.SlotDecayPerSecond > 0 {
		l.ActiveSlots, l.Updated = DecayedSlots(l, s.now())+r.Slots, s.now()
		return tx.UpdateGlobalLimit(ctx, l)
	}
	x := &core.SlotLease{
		ID:      core.NewID(),
		Created: s.now(),
		Expires: core.Forever,
		Limits:  []core.UUID{l.ID},
		Slots:   r.Slots,
		Holder:  r.Holder,
		Counted: true,
	}
	x.HolderType, x.HolderID = holderOf(r.Holder)
	return tx.PutSlotLease(ctx, x)
}

// holderOf reads {"type": …, "id": …}.
func holderOf(j core.JSON) (kind string, id core.UUID) {
	var h struct {
		Type string    `json:"type"`
		ID   core.UUID `json:"id"`
	}
	if j.IsNull() || json.Unmarshal(j, &h) != nil {
		return "", core.UUID{}
	}
	return h.Type, h.ID
}

func checkSlots(r core.SlotRequest) error {
	switch {
	case r.Slots < 1:
		return core.InvalidField("slots", "slots must be 1 or more")
	case r.Mode != "" && r.Mode != "concurrency" && r.Mode != "rate_limit":
		return core.InvalidField("mode", "mode must be concurrency or rate_limit")
	}
	return nil
}

// roomFor locks the named limits and refuses unless each has room.
func (s *Limits) roomFor(ctx context.Context, tx Tx, r core.SlotRequest) ([]*core.GlobalConcurrencyLimit, error) {
	limits, err := tx.LockGlobalLimits(ctx, r.Names)
	if err != nil {
		return nil, err
	}
	var steady []string
	for _, l := range limits {
		if !l.Active {
			continue
		}
		if r.Mode == "rate_limit" && l.SlotDecayPerSecond == 0 {
			steady = append(steady, l.Name)
		}
		if r.Slots > l.Limit {
			return nil, core.Errorf(core.EInvalid, "Slots requested is greater than the limit")
		}
	}
	if len(steady) > 0 {
		return nil, core.Errorf(
			core.EInvalid,
			"Only concurrency limits with slot decay can be used for rate limiting. The following limits do not have a decay configured: '%s'",
			strings.Join(steady, ","),
		)
	}
	for _, l := range limits {
		if !l.Active {
			continue
		}
		held, err := tx.SlotsHeld(ctx, l.ID, s.now())
		if err != nil {
			return nil, err
		}
		if held+DecayedSlots(l, s.now())+r.Slots > l.Limit {
			s.refused(r, l.Name, retryAfter(l, r.Slots))
			return nil, &core.Error{Code: core.ELocked, Message: "Locked", RetryAfter: retryAfter(l, r.Slots)}
		}
	}
	return limits, nil
}

// DecayedSlots is what is left of the counted slots.
func DecayedSlots(l *core.GlobalConcurrencyLimit, now core.Time) int64 {
	gone := math.Floor(l.SlotDecayPerSecond * max(now.Sub(l.Updated).Seconds(), 0))
	return max(0, l.ActiveSlots-int64(min(gone, float64(l.ActiveSlots))))
}

// mostOccupancy caps how long the average is taken to be, in seconds: where
// slots are held for hours, nobody should wait for hours to ask again.
const mostOccupancy = 30.0

// retryAfter is when asking again makes sense: by the decay, else by how long
// slots are held on average.
func retryAfter(l *core.GlobalConcurrencyLimit, slots int64) float64 {
	if l.SlotDecayPerSecond > 0 {
		return float64(slots) / l.SlotDecayPerSecond
	}
	return min(l.AvgSlotOccupancySeconds, mostOccupancy) * float64(slots) / float64(max(l.Limit, 1))
}

// DecrementSlots gives back what IncrementSlots took.
func (s *Limits) DecrementSlots(ctx context.Context, r core.SlotRelease) (released []core.MinimalLimit, err error) {
	if r.Slots < 1 {
		return nil, core.InvalidField("slots", "slots must be 1 or more")
	}
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		released = []core.MinimalLimit{}
		limits, err := tx.LockGlobalLimits(ctx, r.Names)
		if err != nil {
			return err
		}
		for _, l := range limits {
			released = append(released, core.MinimalLimit{ID: l.ID, Name: l.Name, Limit: l.Limit})
			rest, err := s.uncount(ctx, tx, l, r)
			if err != nil {
				return err
			}
			l.ActiveSlots, l.Updated = max(0, DecayedSlots(l, s.now())-rest), s.now()
			if r.OccupancySeconds != nil {
				averageOccupied(l, *r.OccupancySeconds, r.Slots)
			}
			if err := tx.UpdateGlobalLimit(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
	return released, err
}

// uncount ends rows that count made, as many as r releases, and returns what
// is left to be released. The request does not say which slots they are; how
// long they were held tells them from those of others.
func (s *Limits) uncount(ctx context.Context, tx Tx, l *core.GlobalConcurrencyLimit, r core.SlotRelease) (int64, error) {
	leases, err := tx.SlotLeases(ctx, l.ID, s.now())
	if err != nil {
		return 0, err
	}
	leases = slices.DeleteFunc(leases, func(x *core.SlotLease) bool { return !x.Counted })
	if r.OccupancySeconds != nil {
		taken := s.now().Add(-core.Seconds(*r.OccupancySeconds).Duration())
		off := func(x *core.SlotLease) time.Duration {
			d := x.Created.Sub(taken).Abs()
			if x.Slots != r.Slots {
				d += time.Hour
			}
			return d
		}
		slices.SortStableFunc(leases, func(x, y *core.SlotLease) int { return cmp.Compare(off(x), off(y)) })
	}
	rest := r.Slots
	for _, x := range leases {
		switch {
		case rest == 0:
		case x.Slots > rest:
			x.Slots, rest = x.Slots-rest, 0
			err = tx.PutSlotLease(ctx, x)
		default:
			rest -= x.Slots
			err = tx.DeleteSlotLease(ctx, x.ID)
		}
		if err != nil {
			return 0, err
		}
	}
	return rest, nil
}

// averageOccupied moves the average towards how long slots were held.
func averageOccupied(l *core.GlobalConcurrencyLimit, seconds float64, slots int64) {
	each := max(seconds/float64(slots), 0.1)
	l.AvgSlotOccupancySeconds += (each - l.AvgSlotOccupancySeconds) / float64(2*max(l.Limit, 1))
}

const (
	minSlotLease, maxSlotLease, defaultSlotLease = 60.0, 86400.0, 300.0
)

// AcquireSlots takes slots under a lease: they return when it is released, or
// by themselves when it is not renewed. Slots of a limit with decay are not
// held, they decay. ELocked as IncrementSlots.
func (s *Limits) AcquireSlots(ctx context.Context, r core.SlotRequest) (grant *core.SlotGrant, err error) {
	if err := checkSlots(r); err != nil {
		return nil, err
	}
	seconds := r.LeaseDuration
	if seconds == 0 {
		seconds = defaultSlotLease
	}
	if seconds < minSlotLease || seconds > maxSlotLease {
		return nil, core.InvalidField("lease_duration", "a slot lease must last 60 to 86400 seconds")
	}
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		limits, err := s.roomFor(ctx, tx, r)
		if err != nil {
			return err
		}
		now := s.now()
		lease := &core.SlotLease{
			ID:      core.NewID(),
			Created: now,
			Expires: now.Add(core.Seconds(seconds).Duration()),
			Limits:  []core.UUID{},
			Slots:   r.Slots,
			Holder:  r.Holder,
		}
		lease.HolderType, lease.HolderID = holderOf(r.Holder)
		grant = &core.SlotGrant{LeaseID: lease.ID, Limits: []core.MinimalLimit{}}
		for _, l := range limits {
			grant.Limits = append(grant.Limits, core.MinimalLimit{ID: l.ID, Name: l.Name, Limit: l.Limit})
			switch {
			case !l.Active:
			case l.SlotDecayPerSecond > 0:
				err = s.count(ctx, tx, l, r)
			default:
				lease.Limits = append(lease.Limits, l.ID)
			}
			if err != nil {
				return err
			}
		}
		return tx.PutSlotLease(ctx, lease)
	})
	if err == nil {
		s.served(r.Holder)
	}
	return grant, err
}

// RenewSlots keeps a lease for so many seconds from now (0: 300). ENotFound if
// it has run out: its slots may be another's by now.
func (s *Limits) RenewSlots(ctx context.Context, leaseID core.UUID, seconds float64) error {
	if seconds == 0 {
		seconds = defaultSlotLease
	}
	if seconds < minSlotLease || seconds > maxSlotLease {
		return core.InvalidField("lease_duration", "a slot lease must last 60 to 86400 seconds")
	}
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		lease, err := tx.SlotLease(ctx, leaseID)
		switch {
		case err != nil:
		case lease.HolderType == core.HoldsDeployment:
			if lease.Expires <= s.now() {
				err = s.renewable(ctx, tx, lease)
			}
			lease.Counted = false
		case lease.Expires <= s.now() || lease.Counted:
			err = core.NotFound("Lease")
		}
		if err != nil {
			return err
		}
		lease.Expires, lease.Limits = s.now().Add(core.Seconds(seconds).Duration()), nil
		return tx.PutSlotLease(ctx, lease)
	})
}

// ReleaseSlots ends a lease. One that is gone already is released.
func (s *Limits) ReleaseSlots(ctx context.Context, leaseID core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
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
			averageOccupied(l, held, lease.Slots)
			if err := tx.UpdateGlobalLimit(ctx, l); err != nil {
				return err
			}
		}
		return tx.DeleteSlotLease(ctx, leaseID)
	})
}

// endedGrace is how long an ended run may take to give its slots back itself.
const endedGrace = time.Minute

// ExpireSlotLeases drops what was not renewed, and what runs held without a
// lease that have ended, and returns how many.
func (s *Limits) ExpireSlotLeases(ctx context.Context) (n int, err error) {
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		dropped, err := tx.DeleteExpiredSlotLeases(ctx, s.now())
		if err != nil {
			return err
		}
		ended, err := tx.DeleteEndedSlotLeases(ctx, s.now().Add(-endedGrace))
		n = int(dropped + ended)
		return err
	})
	return n, err
}
