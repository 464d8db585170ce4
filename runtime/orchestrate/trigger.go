package orchestrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/flowlite/flowlite/runtime/core"
)

// labelSpec says which values labels must have; every label counts, one of its
// values is enough.
type labelSpec map[string][]string

func specOf(m map[string]any) labelSpec {
	s := make(labelSpec, len(m))
	for key, v := range m {
		switch v := v.(type) {
		case string:
			s[key] = []string{v}
		case []any:
			for _, x := range v {
				if text, ok := x.(string); ok {
					s[key] = append(s[key], text)
				}
			}
		}
	}
	return s
}

func relatedSpecs(j core.JSON) []labelSpec {
	var many []map[string]any
	if core.Unmarshal(j, &many) != nil {
		many = []map[string]any{j.Map()}
	}
	specs := make([]labelSpec, len(many))
	for i, m := range many {
		specs[i] = specOf(m)
	}
	return specs
}

// every: the spec excludes no resource, or none of a kind.
func (s labelSpec) every() bool {
	return len(s) == 0 || len(s) == 1 && slices.Equal(s["prefect.resource.id"], []string{"*"})
}

func (s labelSpec) everyOf(kind string) bool {
	return s.every() || len(s) == 1 && slices.Contains(s["prefect.resource.id"], kind+".*")
}

func (s labelSpec) matches(labels map[string]string) bool {
	for key, want := range s {
		value, has := labels[key]
		if !has || !slices.ContainsFunc(want, func(w string) bool { return matchValue(w, value) }) {
			return false
		}
	}
	return true
}

func (s labelSpec) includes(resources ...map[string]string) bool {
	return s.every() || slices.ContainsFunc(resources, s.matches)
}

// matchValue: a pattern may begin with !, which negates, and end in *, which is open.
func matchValue(pattern, value string) bool {
	bare, negated := strings.CutPrefix(pattern, "!")
	hit := bare == value
	if open, ok := strings.CutSuffix(bare, "*"); ok {
		hit = strings.HasPrefix(value, open)
	}
	return hit != negated
}

func matchAny(patterns []string, event string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchValue(p, event) })
}

// eventTrigger is an event trigger made ready to be held against many events.
type eventTrigger struct {
	*core.Trigger
	automation core.UUID
	match      labelSpec
	related    []labelSpec
}

func compile(a *core.Automation, t *core.Trigger) *eventTrigger {
	return &eventTrigger{Trigger: t, automation: a.ID, match: specOf(t.Match), related: relatedSpecs(t.MatchRelated)}
}

func (t *eventTrigger) expects(event string) bool {
	return len(t.Expect) == 0 || matchAny(t.Expect, event)
}

func (t *eventTrigger) startsAfter(event string) bool { return matchAny(t.After, event) }

// covers tells whether the event concerns the trigger.
func (t *eventTrigger) covers(e *core.Event) bool {
	if !t.expects(e.Event) && !t.startsAfter(e.Event) || t.ownDoing(e) {
		return false
	}
	if !t.match.includes(e.Resource) {
		return false
	}
	for _, spec := range t.related {
		if !spec.includes(e.Related...) {
			return false
		}
	}
	return true
}

// ownDoing: what automations do is an event for those only that ask for it by
// its name, and never for the automation that did it: they would set each
// other off for ever.
func (t *eventTrigger) ownDoing(e *core.Event) bool {
	const doing = "prefect.automation."
	if !strings.HasPrefix(e.Event, doing) {
		return false
	}
	asked := slices.ContainsFunc(slices.Concat(t.Expect, t.After), func(p string) bool { return strings.HasPrefix(p, doing) })
	return !asked || e.ResourceID() == doing+t.automation.String()
}

// key is the event's values of the for_each labels, as stored; labels has them by name.
func (t *eventTrigger) key(e *core.Event) string {
	values := []string{}
	for _, label := range t.forEach() {
		values = append(values, findLabel(e, label))
	}
	key := string(core.ToJSON(values))
	if len(key) <= maxBucketKey {
		return key
	}
	for i, v := range values {
		if len(v) > sha256.Size {
			values[i] = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(v)))
		}
	}
	return string(core.ToJSON(values))
}

// maxBucketKey is from when on the long values of a key are hashed: an index
// of PostgreSQL holds it.
const maxBucketKey = 2000

func (t *eventTrigger) forEach() []string {
	labels := slices.Clone(t.ForEach)
	slices.Sort(labels)
	return slices.Compact(labels)
}

func (t *eventTrigger) labels(key string) map[string]string {
	var values []string
	_ = json.Unmarshal([]byte(key), &values)
	labels := map[string]string{}
	for i, label := range t.forEach() {
		if i < len(values) {
			labels[label] = values[i]
		}
	}
	return labels
}

// findLabel is a label of the resource, or with "related:role:label" of the
// first related resource in that role.
func findLabel(e *core.Event, label string) string {
	if rest, ok := strings.CutPrefix(label, "related:"); ok {
		role, name, _ := strings.Cut(rest, ":")
		for _, r := range e.Related {
			if r["prefect.resource.role"] == role {
				return r[name]
			}
		}
		return ""
	}
	return e.Resource[label]
}

// triggers are the enabled automations' event triggers, in memory so that
// nothing is asked of the database for an event that concerns none.
type triggers struct {
	set atomic.Pointer[triggerSet]
	mu  sync.Mutex // one load at a time, so that the newest wins
}

type triggerSet struct {
	total  int64
	latest core.Time
	list   []*eventTrigger
}

func (t *triggers) load(ctx context.Context, r core.AutomationReader) error {
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
				set.list = append(set.list, compile(a, one))
			}
		}
	}
	t.set.Store(set)
	return nil
}

// refresh loads what other servers have changed.
func (t *triggers) refresh(ctx context.Context, r core.AutomationReader) error {
	total, latest, err := r.AutomationsVersion(ctx)
	if err != nil {
		return err
	}
	if known := t.set.Load(); known != nil && known.total == total && known.latest == latest {
		return nil
	}
	return t.load(ctx, r)
}

// Concerned are the events that concern a trigger.
func (t *triggers) Concerned(ctx context.Context, r core.AutomationReader, events []*core.Event) ([]*core.Event, error) {
	set := t.set.Load()
	if set == nil {
		if err := t.load(ctx, r); err != nil {
			return nil, err
		}
		set = t.set.Load()
	}
	if len(set.list) == 0 {
		return nil, nil
	}
	var out []*core.Event
	for _, e := range events {
		if slices.ContainsFunc(set.list, func(t *eventTrigger) bool { return t.covers(e) }) {
			out = append(out, e)
		}
	}
	return out, nil
}

// automationsFor are the automations whose triggers an event concerns, in one
// order for all, so that two servers never wait for each other.
func (t *triggers) automationsFor(e *core.Event) []core.UUID {
	set := t.set.Load()
	if set == nil {
		return nil
	}
	ids := map[core.UUID]bool{}
	for _, one := range set.list {
		if one.covers(e) {
			ids[one.automation] = true
		}
	}
	return slices.SortedFunc(maps.Keys(ids), func(a, b core.UUID) int { return cmp.Compare(a.String(), b.String()) })
}
