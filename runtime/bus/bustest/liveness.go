package bustest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Liveness runs the suite on every implementation that servers share.
func Liveness(t *testing.T) {
	for name, open := range Backends(t) {
		if name == "memory" {
			continue // one process holds all: see bus.Single
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lease(t, open(t))
			t.Run("in an outage", func(t *testing.T) { leaseInOutage(t, open(t)) })
		})
	}
}

func lease(t *testing.T, h *Backend) {
	t.Helper()
	a, b := h.Liveness(t), h.Liveness(t)
	one, two := core.NewID(), core.NewID()
	hold := func(l core.Liveness, name string, who core.UUID, ttl time.Duration) bool {
		t.Helper()
		ok, err := l.Hold(t.Context(), name, who, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	for range 2 {
		if !hold(a, "x", one, time.Minute) {
			t.Error("a holder cannot take or renew its lease")
		}
	}
	if hold(b, "x", two, time.Minute) {
		t.Error("two hold one lease")
	}
	if !hold(b, "y", two, time.Minute) {
		t.Error("another name is another lease")
	}
	if err := b.Release(t.Context(), "x", two); err != nil {
		t.Fatal(err)
	}
	if hold(b, "x", two, time.Minute) {
		t.Error("a lease was released by one that does not hold it")
	}
	if err := a.Release(t.Context(), "x", one); err != nil {
		t.Fatal(err)
	}
	if !hold(b, "x", two, time.Minute) {
		t.Error("a released lease is not to be had at once")
	}

	const ttl = 400 * time.Millisecond
	began := time.Now()
	if !hold(a, "dies", one, ttl) {
		t.Fatal("a free lease is refused")
	}
	Soon(t, "a dead holder's lease ends", func() bool { return hold(b, "dies", two, time.Minute) })
	if d := time.Since(began); d < ttl-50*time.Millisecond {
		t.Errorf("the lease ended after %s of %s", d, ttl)
	}
	if hold(a, "dies", one, ttl) {
		t.Error("a late holder got its lease back")
	}

	var winners atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			l := a
			if i%2 == 1 {
				l = b
			}
			if ok, err := l.Hold(t.Context(), "race", core.NewID(), time.Minute); err != nil {
				t.Error(err)
			} else if ok {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d of 16 hold one lease", n)
	}
}

// leaseInOutage: Redis has the database behind it; Postgres has nothing, and
// says so, until it is back.
func leaseInOutage(t *testing.T, h *Backend) {
	a, b := h.Liveness(t), h.Liveness(t)
	one, two := core.NewID(), core.NewID()
	if ok, err := a.Hold(t.Context(), "x", one, 300*time.Millisecond); err != nil || !ok {
		t.Fatal(ok, err)
	}
	h.Proxy.Cut()
	if h.Name == "postgres" {
		if ok, err := a.Hold(t.Context(), "x", one, time.Minute); err == nil || ok {
			t.Errorf("held without a database: %v", ok)
		}
	} else {
		if ok, err := a.Hold(t.Context(), "x", one, time.Minute); err != nil || !ok {
			t.Errorf("nothing stands in for Redis: %v %v", ok, err)
		}
		if ok, err := b.Hold(t.Context(), "x", two, time.Minute); err != nil || ok {
			t.Errorf("two hold one lease while Redis is away: %v %v", ok, err)
		}
		if err := a.Release(t.Context(), "x", one); err != nil {
			t.Error(err)
		}
		if ok, err := b.Hold(t.Context(), "x", two, time.Minute); err != nil || !ok {
			t.Errorf("no hand-over while Redis is away: %v %v", ok, err)
		}
	}
	h.Proxy.Restore()
	Soon(t, "leases are to be had again", func() bool {
		ok, err := b.Hold(t.Context(), "x", two, time.Minute)
		return err == nil && ok
	})
	Soon(t, "and are exclusive again", func() bool {
		mine, err := b.Hold(t.Context(), "x", two, time.Minute)
		theirs, err2 := a.Hold(t.Context(), "x", one, time.Minute)
		return err == nil && err2 == nil && mine && !theirs
	})
}
