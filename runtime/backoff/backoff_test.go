package backoff

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPausesGrowToTheirLimit(t *testing.T) {
	p := Pauses{First: 100 * time.Millisecond, Limit: time.Second}
	within := func(n int, nominal time.Duration) {
		t.Helper()
		if d := p.Next(); d < nominal/2 || d >= nominal+nominal/2 {
			t.Errorf("pause %d is %s, not about %s", n, d, nominal)
		}
	}
	for n, nominal := range []time.Duration{100, 200, 400, 800, 1000, 1000, 1000} {
		within(n, nominal*time.Millisecond)
	}
	p.Reset()
	within(0, 100*time.Millisecond)
}

func TestPausesWithoutLimitStayTheSame(t *testing.T) {
	p := Pauses{First: time.Second}
	for range 5 {
		if d := p.Next(); d < time.Second/2 || d >= 3*time.Second/2 {
			t.Errorf("pause of %s, not about a second", d)
		}
	}
	if d := (&Pauses{}).Next(); d != 0 {
		t.Errorf("no pause was asked for, and it is %s", d)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	why := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	p := Pauses{First: time.Hour}
	go cancel(why)
	if err := p.Wait(ctx); !errors.Is(err, why) {
		t.Errorf("Wait returned %v", err)
	}
	if err := Sleep(ctx, time.Hour); !errors.Is(err, why) {
		t.Errorf("Sleep returned %v", err)
	}
	if err := Sleep(t.Context(), 0); err != nil {
		t.Errorf("Sleep of nothing returned %v", err)
	}
}
