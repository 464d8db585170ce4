package automation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

func eventAt(seconds float64, name string) *core.Event {
	return &core.Event{ID: core.NewID(), Occurred: core.Time(1e15 + seconds*1e6), Event: name, Resource: map[string]string{"prefect.resource.id": "r"}}
}

func trig(posture string, threshold int64, within float64, after ...string) *core.Trigger {
	return &core.Trigger{Type: core.TriggerEvent, ID: core.NewID(), Posture: posture, Threshold: &threshold,
		Within: core.Ptr(core.Seconds(within)), Expect: []string{"hit"}, After: after}
}

// TestFill plays events and moments of a bucket's life: "hit@3" is an expected
// event, "open@1" one that it comes after, "@9" a look at the clock. What is
// wanted are the moments at which the trigger fired.
func TestFill(t *testing.T) {
	for _, c := range []struct {
		name    string
		trigger *core.Trigger
		play    string
		want    string
	}{
		{"each event", trig(core.Reactive, 1, 0), "hit@1 hit@2 other@3 hit@3", "1 2 3"},
		{"each third", trig(core.Reactive, 3, 0), "hit@1 hit@2 hit@3 hit@4 hit@5 hit@9", "3 9"},
		{"once in a minute", trig(core.Reactive, 1, 60), "hit@1 hit@2 hit@61 hit@62 hit@90 hit@130", "1 61 130"},
		{"two in a minute", trig(core.Reactive, 2, 60), "hit@1 hit@70 hit@80", "80"},
		{"two in a minute, once", trig(core.Reactive, 2, 60), "hit@1 hit@2 hit@3 hit@4 hit@5", "2"},
		{"out of order", trig(core.Reactive, 3, 60), "hit@5 hit@3 hit@4", "4"},
		{"missing", trig(core.Proactive, 1, 10), "@5 @10 @15 @20", "10 20"},
		{"not missing", trig(core.Proactive, 1, 10), "hit@3 @10 hit@14 @20 @30", "30"},
		{"too few", trig(core.Proactive, 2, 10), "hit@3 @10 hit@11 hit@12 @20", "10"},
		{"after, in time", trig(core.Proactive, 1, 10, "open"), "@5 open@10 hit@15 @30", ""},
		{"after, too late", trig(core.Proactive, 1, 10, "open"), "open@10 @15 @20 @30 open@31 @41", "20 41"},
		{"after anew", trig(core.Proactive, 1, 10, "open"), "open@10 open@25 @30 @35", "25 35"},
		{"reactive after", trig(core.Reactive, 1, 10, "open"), "hit@1 open@2 hit@5 hit@6", "5"},
		{"the same event opens and counts", trig(core.Reactive, 1, 10, "hit"), "hit@1 hit@2 hit@3", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := trigger.Compile(&core.Automation{ID: core.NewID()}, c.trigger)
			var b *core.Bucket
			if c.trigger.Posture == core.Proactive && len(c.trigger.After) == 0 {
				b = &core.Bucket{Start: core.Time(1e15), End: core.Time(1e15).Add(c.trigger.Within.Duration())}
			}
			var fired []string
			for step := range strings.FieldsSeq(c.play) {
				name, at, _ := strings.Cut(step, "@")
				var seconds float64
				_, _ = fmt.Sscan(at, &seconds)
				e := eventAt(seconds, name)
				look := func(e *core.Event) {
					if b == nil {
						return
					}
					next, f := fill(c.trigger, *b, eventAt(seconds, "").Occurred, e)
					if b = next; f != nil {
						fired = append(fired, at)
					}
				}
				if name == "" {
					look(nil)
					continue
				}
				if !one.Covers(e) {
					continue
				}
				if b != nil && one.StartsAfter(name) && b.End <= e.Occurred {
					look(nil)
				}
				if b == nil {
					b = begin(one, "[]", e)
				}
				if one.Expects(name) {
					look(e)
				}
			}
			if got := strings.Join(fired, " "); got != c.want {
				t.Errorf("fired at %q, want %q", got, c.want)
			}
		})
	}
}

func TestComplete(t *testing.T) {
	a, b := &core.Trigger{ID: core.NewID()}, &core.Trigger{ID: core.NewID()}
	fired := func(ts ...*core.Trigger) (fs []*core.ChildFiring) {
		for _, t := range ts {
			fs = append(fs, &core.ChildFiring{TriggerID: t.ID})
		}
		return fs
	}
	for _, c := range []struct {
		kind, require string
		fired         []*core.ChildFiring
		want          bool
	}{
		{core.TriggerCompound, `"all"`, fired(a), false},
		{core.TriggerCompound, `"all"`, fired(b, a), true},
		{core.TriggerCompound, `"any"`, fired(b), true},
		{core.TriggerCompound, `1`, fired(b), true},
		{core.TriggerCompound, `2`, fired(b), false},
		{core.TriggerSequence, ``, fired(a), false},
		{core.TriggerSequence, ``, fired(b, a), false},
		{core.TriggerSequence, ``, fired(a, b), true},
	} {
		p := &core.Trigger{Type: c.kind, Require: core.JSON(c.require), Triggers: []*core.Trigger{a, b}}
		if got := complete(p, c.fired); got != c.want {
			t.Errorf("%s %s with %d: %t", c.kind, c.require, len(c.fired), got)
		}
	}
}
