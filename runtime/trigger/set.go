package trigger

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/flowlite/flowlite/runtime/core"
)

// Set has the enabled automations' event triggers, in memory so that
// nothing is asked of the database for an event that concerns none.
type Set struct {
	set atomic.Pointer[triggerSet]
	mu  sync.Mutex // one load at a time, so that the newest wins
}

type triggerSet struct {
	total  int64
	latest core.Time
	list   []*Matcher
}

// Load reads all automations.
func (t *Set) Load(ctx context.Context, r core.AutomationReader) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	total, latest, err := r.AutomationsVersion(ctx)
	if err != nil {
		return err
	}
	all, err := r.AllAutomations(ctx)
	if err != nil {
		return err
	}
	set := &triggerSet{total: total, latest: latest}
	for _, a := range all {
		if !a.Enabled || a.Trigger == nil {
			continue
		}
		for _, one := range a.Trigger.All() {
			if one.Type == core.TriggerEvent {
				set.list = append(set.list, Compile(a, one))
			}
		}
	}
	t.set.Store(set)
	return nil
}

// Refresh loads what other servers have changed.
func (t *Set) Refresh(ctx context.Context, r core.AutomationReader) error {
	total, latest, err := r.AutomationsVersion(ctx)
	if err != nil {
		return err
	}
	if known := t.set.Load(); known != nil && known.total == total && known.latest == latest {
		return nil
	}
	return t.Load(ctx, r)
}

// Concerned are the events that concern a trigger.
func (t *Set) Concerned(ctx context.Context, r core.AutomationReader, events []*core.Event) ([]*core.Event, error) {
	set := t.set.Load()
	if set == nil {
		if err := t.Load(ctx, r); err != nil {
			return nil, err
		}
		set = t.set.Load()
	}
	if len(set.list) == 0 {
		return nil, nil
	}
	var out []*core.Event
	for _, e := range events {
		if slices.ContainsFunc(set.list, func(t *Matcher) bool { return t.Covers(e) }) {
			out = append(out, e)
		}
	}
	return out, nil
}

// AutomationsFor are the automations whose triggers an event concerns, in one
// order for all, so that two servers never wait for each other.
func (t *Set) AutomationsFor(e *core.Event) []core.UUID {
	set := t.set.Load()
	if set == nil {
		return nil
	}
	ids := map[core.UUID]bool{}
	for _, one := range set.list {
		if one.Covers(e) {
			ids[one.AutomationID] = true
		}
	}
	return slices.SortedFunc(maps.Keys(ids), func(a, b core.UUID) int { return cmp.Compare(a.String(), b.String()) })
}
