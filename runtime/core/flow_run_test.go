package core

import "testing"

func TestDelayOfPolicy(t *testing.T) {
	for _, c := range []struct{ given, whole float64 }{{0, 0}, {0.1, 1}, {1, 1}, {2.5, 3}, {30, 30}} {
		var p FlowRunPolicy
		p.SetDelay(c.given)
		if p.Delay() != c.given || *p.RetryDelay != c.whole {
			t.Errorf("%g: kept %g, shown %g", c.given, p.Delay(), *p.RetryDelay)
		}
	}
	twelve := 12.0
	for want, p := range map[float64]FlowRunPolicy{0: {}, 7.5: {RetryDelaySeconds: 7.5}, 12: {RetryDelay: &twelve, RetryDelaySeconds: 3}} {
		if p.Delay() != want {
			t.Errorf("%+v: %g instead of %g", p, p.Delay(), want)
		}
	}
}
