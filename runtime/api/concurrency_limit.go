package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) limits() group {
	return group{"/v2/concurrency_limits", []op{
		create(a.createLimit, need("name", "limit")),
		get("/{id}", func(ctx context.Context, in *limitKey) (*limitAnswer, error) {
			l, err := a.limit(ctx, in.Key)
			if err != nil {
				return nil, err
			}
			return a.limitAnswer(ctx, l)
		}).runs(),
		done("PATCH", "/{id}", func(ctx context.Context, in *struct {
			Key  string `path:"id"`
			Body core.GlobalConcurrencyLimitUpdate
		}) error {
			l, err := a.limit(ctx, in.Key)
			if err != nil {
				return err
			}
			return a.Limits.UpdateGlobalLimit(ctx, l.ID, in.Body)
		}),
		done("DELETE", "/{id}", func(ctx context.Context, in *limitKey) error {
			l, err := a.limit(ctx, in.Key)
			if err != nil {
				return err
			}
			return a.Limits.DeleteGlobalLimit(ctx, l.ID)
		}),
		post("/filter", a.filterLimits, strict).runs(),
		post("/increment", a.increment, need("slots", "names")).runs(),
		post("/decrement", a.decrement, need("slots", "names")).runs(),
		post("/increment-with-lease", a.acquire, need("slots", "names")).runs(),
		done("POST", "/decrement-with-lease", func(ctx context.Context, in *withBody[struct {
			Lease core.UUID `json:"lease_id"`
		}]) error {
			return named("Lease", a.Limits.ReleaseSlots(ctx, in.Body.Lease))
		}, need("lease_id")).runs(),
		done("POST", "/leases/{id}/renew", a.renew, optional).runs(),
	}}
}

type limitKey struct {
	Key string `path:"id"`
}

func (a *API) createLimit(ctx context.Context, c core.GlobalConcurrencyLimitCreate) (*core.GlobalConcurrencyLimit, error) {
	if c.Limit < 0 {
		return nil, invalid("greater_than_equal", "Input should be greater than or equal to 0", c.Limit, "limit")
	}
	if c.SlotDecayPerSecond < 0 {
		return nil, invalid("greater_than_equal", "Input should be greater than or equal to 0", c.SlotDecayPerSecond, "slot_decay_per_second")
	}
	return a.Limits.CreateGlobalLimit(ctx, c)
}

// limit is found by id or by name.
func (a *API) limit(ctx context.Context, key string) (l *core.GlobalConcurrencyLimit, err error) {
	if id, bad := core.ParseUUID(key); bad == nil {
		l, err = a.store.GlobalLimit(ctx, id)
	} else {
		l, err = a.store.GlobalLimitByName(ctx, key)
	}
	return l, named("Concurrency Limit", err)
}

func (a *API) filterLimits(ctx context.Context, in *withBody[pageQuery]) ([]*limitAnswer, error) {
	page, none, err := in.Body.page(nil)
	if err != nil || none {
		return []*limitAnswer{}, err
	}
	limits, err := a.store.GlobalLimits(ctx, false, page)
	out := make([]*limitAnswer, len(limits))
	for i, l := range limits {
		if out[i], err = a.limitAnswer(ctx, l); err != nil {
			return nil, err
		}
	}
	return out, err
}

// limitAnswer is a limit as it is read: with all slots that are occupied, and
// without the averages that only its creation answers.
type limitAnswer struct {
	*core.GlobalConcurrencyLimit
	ActiveSlots int64     `json:"active_slots"`
	Denied      *struct{} `json:"denied_slots,omitempty"`
	Average     *struct{} `json:"avg_slot_occupancy_seconds,omitempty"`
}

func (a *API) limitAnswer(ctx context.Context, l *core.GlobalConcurrencyLimit) (*limitAnswer, error) {
	active, err := a.Limits.ActiveSlots(ctx, l)
	return &limitAnswer{GlobalConcurrencyLimit: l, ActiveSlots: active}, err
}

type slotBody struct {
	Slots     int64     `json:"slots"`
	Names     []string  `json:"names"`
	Mode      string    `json:"mode"`
	Duration  *float64  `json:"lease_duration"`
	Holder    core.JSON `json:"holder"`
	Occupancy *float64  `json:"occupancy_seconds"`
}

func (b *slotBody) request() (r core.SlotRequest, err error) {
	r = core.SlotRequest{Slots: b.Slots, Names: b.Names, Mode: b.Mode, Holder: b.Holder, LeaseDuration: core.Deref(b.Duration)}
	switch {
	case b.Slots <= 0:
		err = invalid("greater_than", "Input should be greater than 0", b.Slots, "slots")
	case b.Mode != "" && b.Mode != "concurrency" && b.Mode != "rate_limit":
		err = invalid("literal_error", "Input should be 'concurrency' or 'rate_limit'", b.Mode, "mode")
	case b.Duration != nil && (*b.Duration < 60 || *b.Duration > 86400):
		err = invalid("greater_than_equal", "Input should be between 60 and 86400 seconds", *b.Duration, "lease_duration")
	}
	return r, err
}

func (a *API) increment(ctx context.Context, in *withBody[slotBody]) ([]core.MinimalLimit, error) {
	r, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	return rows(a.Limits.IncrementSlots(ctx, r))
}

func (a *API) decrement(ctx context.Context, in *withBody[slotBody]) ([]core.MinimalLimit, error) {
	if _, err := in.Body.request(); err != nil {
		return nil, err
	}
	return rows(
		a.Limits.DecrementSlots(ctx, core.SlotRelease{Slots: in.Body.Slots, Names: in.Body.Names, OccupancySeconds: in.Body.Occupancy}),
	)
}

func (a *API) acquire(ctx context.Context, in *withBody[slotBody]) (*core.SlotGrant, error) {
	r, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	if r.LeaseDuration == 0 {
		r.LeaseDuration = 300
	}
	g, err := a.Limits.AcquireSlots(ctx, r)
	if err == nil && g.Limits == nil {
		g.Limits = []core.MinimalLimit{}
	}
	return g, err
}

func (a *API) renew(ctx context.Context, in *change[struct {
	Duration *float64 `json:"lease_duration"`
}]) error {
	seconds := 300.0
	if in.Body.Duration != nil {
		seconds = *in.Body.Duration
	}
	if seconds < 60 || seconds > 86400 {
		return invalid("greater_than_equal", "Input should be between 60 and 86400 seconds", seconds, "lease_duration")
	}
	return named("Lease", a.Limits.RenewSlots(ctx, in.ID, seconds))
}
