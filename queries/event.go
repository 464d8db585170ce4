package queries

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

func Events(d Dialect, x *core.EventFilter, p *core.Page) Query {
	if x == nil {
		x = &core.EventFilter{}
	}
	def := "DESC"
	if strings.EqualFold(x.Order, "ASC") {
		def = "ASC"
	}
	return list(d, "event", "e", func(b *builder) {
		b.event(x)
		if x.Resource != nil && x.Resource.Distinct {
			b.write(" AND ")
			b.firstOfResource(x, def)
		}
	},
		map[string]string{"DESC": "e.occurred DESC, e.id DESC", "ASC": "e.occurred, e.id"}, def, p)
}

// firstOfResource keeps one event of each resource, of those that pass the filter:
// the newest, or the oldest if these come first.
func (b *builder) firstOfResource(x *core.EventFilter, order string) {
	all := *x
	all.Before = nil // a later page has the events that the earlier ones left
	b.write("e.id IN (SELECT o.id FROM (SELECT e.id, ROW_NUMBER() OVER (PARTITION BY e.event_resource_id ORDER BY e.occurred ",
		order, ", e.id ", order, ") AS place FROM event e WHERE ")
	b.event(&all)
	b.write(") o WHERE o.place = 1)")
}

// event: an empty list asks for nothing, unlike that of other filters: clients
// send "id": {"id": []} with every filter.
func (b *builder) event(x *core.EventFilter) {
	f := b.fields()
	if o := x.Occurred; o != nil {
		f.time("e.occurred", &core.TimeFilter{After: o.Since, Before: o.Until})
	}
	if k := x.Before; k != nil {
		f.add(func() {
			b.write("(e.occurred, e.id) < (")
			b.arg(k.Occurred)
			b.write(", ")
			b.arg(k.ID)
			b.write(")")
		})
	}
	if n := x.Event; n != nil {
		if len(n.Prefix) > 0 {
			f.add(func() { b.prefixes("e.event", n.Prefix) })
		}
		if len(n.ExcludePrefix) > 0 {
			f.add(func() { b.write("NOT "); b.prefixes("e.event", n.ExcludePrefix) })
		}
		if len(n.Name) > 0 {
			f.add(func() { in(b, false, "e.event", n.Name) })
		}
		if len(n.ExcludeName) > 0 {
			f.add(func() { in(b, true, "e.event", n.ExcludeName) })
		}
	}
	if r := x.Resource; r != nil {
		if len(r.ID) > 0 {
			f.add(func() { in(b, false, "e.event_resource_id", r.ID) })
		}
		if len(r.IDPrefix) > 0 {
			f.add(func() { b.prefixes("e.event_resource_id", r.IDPrefix) })
		}
		f.labels("e.resource", r.Labels)
	}
	f.resources(x.AnyResource, true)
	f.resources(x.Related, false)
	if x.ID != nil && len(x.ID.ID) > 0 {
		f.add(func() { in(b, false, "e.id", x.ID.ID) })
	}
	f.search(x.Text, "e.event", b.text("e.resource"), b.text("e.related"), b.text("e.payload"))
	b.all(core.And, f.terms)
}

// resources: one of the related resources is as asked, or the event's own where
// any may be.
func (f *fields) resources(x *core.EventResources, own bool) {
	if x == nil {
		return
	}
	rs := *x
	f.add(func() {
		if len(rs) == 0 {
			f.write("1=1")
			return
		}
		var matches []term
		for _, r := range rs {
			matches = append(matches, func() {
				f.write("(EXISTS (SELECT 1 FROM ", f.elements("e.related"), " WHERE ")
				g := f.fields()
				g.related(r, f.key("er.value", "prefect.resource.id"), f.key("er.value", "prefect.resource.role"), "er.value")
				f.all(core.And, g.terms)
				f.write(")")
				if own {
					f.write(" OR ")
					g := f.fields()
					g.related(r, "e.event_resource_id", "''", "e.resource")
					f.all(core.And, g.terms)
				}
				f.write(")")
			})
		}
		f.all(core.Or, matches)
	})
}

func (f *fields) related(r core.EventRelated, name, role, labels string) {
	if len(r.ID) > 0 {
		f.add(func() { in(f.builder, false, name, r.ID) })
	}
	if len(r.IDPrefix) > 0 {
		f.add(func() { f.prefixes(name, r.IDPrefix) })
	}
	if len(r.Role) > 0 {
		f.add(func() { in(f.builder, false, role, r.Role) })
	}
	if len(r.ResourcesInRoles) > 0 {
		f.add(func() {
			f.atMost(maxTerms, len(r.ResourcesInRoles))
			f.write("(1=0")
			for _, pair := range r.ResourcesInRoles {
				f.write(" OR (")
				f.cmp(name, " = ", pair[0])
				f.write(" AND ")
				f.cmp(role, " = ", pair[1])
				f.write(")")
			}
			f.write(")")
		})
	}
	f.labels(labels, r.Labels)
}

// labels: every label has one of its values. A value may end in * and may
// begin with !, which excludes; an absent label is never as asked.
func (f *fields) labels(col string, labels map[string]any) {
	for key, v := range labels {
		vs, ok := v.([]any)
		if !ok {
			vs = []any{v}
		}
		f.add(func() {
			var want, not []term
			for _, v := range vs {
				s := fmt.Sprint(v)
				bare, neg := strings.CutPrefix(s, "!")
				t := func() { f.labelIs(col, key, bare) }
				if neg {
					not = append(not, func() { f.write("NOT COALESCE("); t(); f.write(", TRUE)") })
				} else {
					want = append(want, t)
				}
			}
			terms := not
			if len(want) > 0 {
				terms = append(terms, func() { f.all(core.Or, want) })
			}
			f.all(core.And, terms)
		})
	}
}

func (f *fields) labelIs(col, key, v string) {
	if p, ok := strings.CutSuffix(v, "*"); ok {
		f.write("(substr(")
		f.label(col, key)
		f.write(", 1, ", strconv.Itoa(len([]rune(p))), ") = ")
		f.arg(p)
		f.write(")")
		return
	}
	f.write("(")
	f.label(col, key)
	f.write(" = ")
	f.arg(v)
	f.write(")")
}
