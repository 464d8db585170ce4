package queries

import "github.com/flowlite/flowlite/runtime/core"

// fields collects the terms of one entity's filter.
type fields struct {
	*builder
	terms []term
}

func (b *builder) fields() *fields { return &fields{builder: b} }

func (f *fields) add(t term) { f.terms = append(f.terms, t) }

// sub adds one field whose own conditions are joined by its own operator.
func (f *fields) sub(op core.Operator, build func(g *fields)) {
	f.add(func() {
		g := f.fields()
		build(g)
		g.all(op, g.terms)
	})
}

func (f *fields) id(col string, x *core.IDFilter) {
	if x == nil {
		return
	}
	f.sub(x.Operator, func(g *fields) {
		if x.Any != nil {
			g.add(func() { in(g.builder, false, col, x.Any) })
		}
		if x.NotAny != nil {
			g.add(func() { in(g.builder, true, col, x.NotAny) })
		}
		if x.IsNull != nil {
			g.add(func() { g.null(col, *x.IsNull) })
		}
	})
}

// creator asks for keys of a JSON column.
func (f *fields) creator(col string, x *core.CreatorFilter) {
	if x == nil {
		return
	}
	f.sub(x.Operator, func(g *fields) {
		if x.ID != nil {
			ids := make([]string, len(x.ID))
			for i, id := range x.ID {
				ids[i] = id.String()
			}
			g.add(func() { in(g.builder, false, g.key(col, "id"), ids) })
		}
		if x.Type != nil {
			g.add(func() { in(g.builder, false, g.key(col, "type"), x.Type) })
		}
		if x.IsNull != nil {
			g.add(func() { g.null(col, *x.IsNull) })
		}
	})
}

// search looks for a query's words in columns of text.
func (f *fields) search(x *core.Search, cols ...string) {
	terms := x.Terms()
	anywhere := func(word string) term {
		return func() {
			var ts []term
			for _, col := range cols {
				ts = append(ts, func() { f.like(col, part{text: word}) })
			}
			f.all(core.Or, ts)
		}
	}
	for _, word := range terms.All {
		f.add(anywhere(word))
	}
	for _, word := range terms.None {
		f.add(func() { f.write("NOT "); anywhere(word)() })
	}
	if len(terms.Any) > 0 {
		f.add(func() {
			var ts []term
			for _, word := range terms.Any {
				ts = append(ts, anywhere(word))
			}
			f.all(core.Or, ts)
		})
	}
}

func (f *fields) textFilter(col string, x *core.TextFilter) {
	f.textLike(col, x, func(v part) { f.like(col, v) })
}

func (f *fields) textLike(col string, x *core.TextFilter, like func(part)) {
	if x == nil {
		return
	}
	f.sub(x.Operator, func(g *fields) {
		if x.Any != nil {
			g.add(func() { in(g.builder, false, col, x.Any) })
		}
		if x.NotAny != nil {
			g.add(func() { in(g.builder, true, col, x.NotAny) })
		}
		if x.Like != nil {
			g.add(func() { like(part{*x.Like, true}) })
		}
		if x.Contains != nil {
			g.add(func() { like(part{text: *x.Contains}) })
		}
		if x.StartsWith != nil {
			g.add(func() { g.prefixes(col, x.StartsWith) })
		}
		if x.IsNull != nil {
			g.add(func() { g.null(col, *x.IsNull) })
		}
		if x.Exists != nil {
			g.add(func() { g.null(col, !*x.Exists) })
		}
	})
}

func (f *fields) time(col string, x *core.TimeFilter) {
	if x == nil {
		return
	}
	f.sub(core.And, func(g *fields) {
		if x.Before != 0 {
			g.add(func() { g.cmp(col, " <= ", x.Before) })
		}
		if x.After != 0 {
			g.add(func() { g.cmp(col, " >= ", x.After) })
		}
		if x.IsNull != nil {
			g.add(func() { g.null(col, *x.IsNull) })
		}
	})
}

func (f *fields) int(col string, x *core.IntFilter) {
	if x == nil {
		return
	}
	f.sub(core.And, func(g *fields) {
		if x.Ge != nil {
			g.add(func() { g.cmp(col, " >= ", *x.Ge) })
		}
		if x.Le != nil {
			g.add(func() { g.cmp(col, " <= ", *x.Le) })
		}
		if x.IsNull != nil {
			g.add(func() { g.null(col, *x.IsNull) })
		}
	})
}

func (f *fields) bool(col string, x *core.BoolFilter) {
	if x == nil || x.Eq == nil {
		return
	}
	f.add(func() {
		if !*x.Eq {
			f.write("NOT ")
		}
		f.write(col)
	})
}

// tags over a JSON array column; has says how to look for one tag.
func (f *fields) tags(col string, x *core.TagFilter, has func(tag string)) {
	if x == nil {
		return
	}
	if has == nil {
		has = func(tag string) { f.hasTag(col, tag) }
	}
	each := func(tags []string) (ts []term) {
		for _, t := range tags {
			ts = append(ts, func() { has(t) })
		}
		return ts
	}
	f.sub(x.Operator, func(g *fields) {
		if x.All != nil {
			g.atMost(maxAll, len(x.All))
			g.add(func() { g.builder.all(core.And, each(x.All)) })
		}
		if x.Any != nil {
			g.add(func() {
				if len(x.Any) == 0 {
					g.write("1=0")
					return
				}
				g.builder.all(core.Or, each(x.Any))
			})
		}
		if x.IsNull != nil {
			g.add(func() {
				if !*x.IsNull {
					g.write("NOT ")
				}
				g.write("(", col, " = '[]')")
			})
		}
	})
}

func (f *fields) state(alias string, x *core.StateFilter) {
	if x == nil {
		return
	}
	col := alias + ".state_type"
	if f.byEnd && f.d == SQLite {
		col = "+" + col
	}
	f.sub(x.Operator, func(g *fields) {
		if x.Type != nil {
			if x.Type.Any != nil {
				g.add(func() { in(g.builder, false, col, texts(x.Type.Any)) })
			}
			if x.Type.NotAny != nil {
				g.add(func() { in(g.builder, true, col, texts(x.Type.NotAny)) })
			}
		}
		g.textFilter(alias+".state_name", x.Name)
	})
}

func texts(ts []core.StateType) []string {
	vs := make([]string, len(ts))
	for i, t := range ts {
		vs[i] = string(t)
	}
	return vs
}
