package metrics

import "sync"

// How many names of each kind become label values. The names that come later
// share the value "other", so that no number of flows can fill Prometheus.
const (
	maxFlows  = 200
	maxPools  = 50
	maxLimits = 200

	other = "other"
)

// bounded remembers which names are label values.
type bounded struct {
	mu           sync.Mutex
	flows, pools map[string]bool
}

func (b *bounded) flow(name string) string { return b.known(&b.flows, name, maxFlows) }

func (b *bounded) pool(name string) string {
	if name == "" {
		return ""
	}
	return b.known(&b.pools, name, maxPools)
}

func (b *bounded) known(set *map[string]bool, name string, most int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case (*set)[name]:
		return name
	case len(*set) >= most || name == "":
		return other
	case *set == nil:
		*set = map[string]bool{}
	}
	(*set)[name] = true
	return name
}
