package queries

import "github.com/flowlite/flowlite/runtime/core"

func Automations(d Dialect, x *core.AutomationFilter, p *core.Page) Query {
	return list(d, "automation", "a", func(b *builder) {
		if x == nil {
			x = &core.AutomationFilter{}
		}
		f := b.fields()
		f.id("a.id", x.ID)
		f.textFilter("a.name", x.Name)
		f.time("a.created", x.Created)
		f.tags("a.tags", x.Tags, nil)
		b.all(x.Operator, f.terms)
	}, map[string]string{
		"NAME_ASC": "a.name, a.id", "NAME_DESC": "a.name DESC, a.id DESC",
		"CREATED_DESC": "a.created DESC, a.id DESC", "UPDATED_DESC": "a.updated DESC, a.id DESC",
	}, "NAME_ASC", p)
}
