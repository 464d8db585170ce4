package trigger_test

import (
	"math/rand/v2"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// words are label values and parts of patterns, chosen to be mistaken for one another.
var words = []string{"a", "a/b", "a.b", "ab", "a*", "b", "", "A", "a%", "a_b", "é"}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func some(r *rand.Rand, most int, one func() string) []string {
	out := []string{}
	for range r.IntN(most + 1) {
		out = append(out, one())
	}
	return out
}

func pattern(r *rand.Rand) string {
	return pick(r, []string{"", "!"}) + pick(r, words) + pick(r, []string{"", "*"})
}

// patterns are what a client sends for a label: one pattern, or a list.
func patterns(r *rand.Rand) any {
	if r.IntN(2) == 0 {
		return pattern(r)
	}
	list := []any{}
	for range r.IntN(4) {
		list = append(list, pattern(r))
	}
	return list
}

func labelled(r *rand.Rand) map[string]any {
	m := map[string]any{}
	for _, key := range []string{"prefect.resource.id", "prefect.resource.name", "x"} {
		if r.IntN(3) == 0 {
			m[key] = patterns(r)
		}
	}
	return m
}

func resource(r *rand.Rand, role bool) map[string]string {
	m := map[string]string{"prefect.resource.id": "r" + pick(r, words)}
	if r.IntN(3) > 0 {
		m["prefect.resource.id"] = pick(r, []string{"a", "a/b", "a.b", "ab"})
	}
	for _, key := range []string{"prefect.resource.name", "x"} {
		if r.IntN(2) == 0 {
			m[key] = pick(r, words)
		}
	}
	if role {
		m["prefect.resource.role"] = pick(r, []string{"flow", "tag"})
	}
	return m
}

func related(r *rand.Rand) *core.EventResources {
	all := core.EventResources{}
	for range r.IntN(3) {
		all = append(all, core.EventRelated{
			ID: some(r, 1, func() string { return pick(r, words) }), IDPrefix: some(r, 1, func() string { return pick(r, words) }),
			Role: some(r, 1, func() string { return pick(r, []string{"flow", "tag"}) }), Labels: labelled(r),
		})
	}
	return &all
}

func eventFilter(r *rand.Rand) core.EventFilter {
	word := func() string { return pick(r, words) }
	var f core.EventFilter
	if r.IntN(3) == 0 {
		f.Event = &core.EventName{Prefix: some(r, 2, word), ExcludePrefix: some(r, 1, word), Name: some(r, 3, word), ExcludeName: some(r, 1, word)}
	}
	if r.IntN(2) == 0 {
		f.Resource = &core.EventResource{ID: some(r, 1, word), IDPrefix: some(r, 2, word), Labels: labelled(r)}
	}
	if r.IntN(3) == 0 {
		f.Related = related(r)
	}
	if r.IntN(3) == 0 {
		f.AnyResource = related(r)
	}
	return f
}

// TestPassesAsStored checks that a live stream passes the same events as a query
// for stored ones, for arbitrary filters, on every engine.
func TestPassesAsStored(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			store, err := db.Open(t.Context(), engine.URL(t))
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			r := rand.New(rand.NewPCG(1, 2))
			var events []*core.Event
			for range 40 {
				e := &core.Event{ID: core.NewID(), Event: "e" + pick(r, words), Occurred: core.Now(), Received: core.Now(),
					Resource: resource(r, false), Related: []map[string]string{}, Payload: core.JSON("{}")}
				if r.IntN(3) > 0 {
					e.Event = pick(r, []string{"a", "a/b", "ab"})
				}
				for range r.IntN(3) {
					e.Related = append(e.Related, resource(r, true))
				}
				events = append(events, e)
			}
			if err := store.Write(t.Context(), func(tx core.Tx) error { return tx.AddEvents(t.Context(), events) }); err != nil {
				t.Fatal(err)
			}
			passed := 0
			for range 1500 {
				f := eventFilter(r)
				stored, err := store.Events(t.Context(), &f, core.Page{Limit: len(events)})
				if err != nil {
					t.Fatal(err)
				}
				is := map[core.UUID]bool{}
				for _, e := range stored {
					is[e.ID] = true
				}
				passed += len(stored)
				for _, e := range events {
					if live := trigger.Passes(&f, e); live != is[e.ID] {
						t.Fatalf("filter %s\nevent %s\nlive %t, stored %t", core.ToJSON(f), core.ToJSON(e), live, is[e.ID])
					}
				}
			}
			if passed == 0 {
				t.Error("no filter passed anything")
			}
		})
	}
}
