package queries

import "github.com/flowlite/flowlite/runtime/core"

func (b *builder) blockType(alias string, x *core.BlockTypeFilter) {
	f := b.fields()
	f.textFilter(alias+".name", x.Name)
	f.textFilter(alias+".slug", x.Slug)
	b.all(x.Operator, f.terms)
}

func (b *builder) blockSchema(alias string, x *core.BlockSchemaFilter) {
	f := b.fields()
	f.id(alias+".id", x.ID)
	f.id(alias+".block_type_id", x.BlockTypeID)
	f.tags(alias+".capabilities", x.Capabilities, nil)
	f.textFilter(alias+".version", x.Version)
	b.all(x.Operator, f.terms)
}

func (b *builder) blockDocument(x *core.BlockDocumentFilter) {
	f := b.fields()
	f.id("d.id", x.ID)
	f.id("d.block_type_id", x.BlockTypeID)
	f.textFilter("d.name", x.Name)
	f.bool("d.is_anonymous", x.IsAnonymous.Ptr())
	b.all(x.Operator, f.terms)
	if !x.IsAnonymous.Set {
		b.write(" AND NOT d.is_anonymous")
	}
}

// BlockTypes may be asked for by the schemas that they have.
func BlockTypes(d Dialect, fs core.BlockFilters, p *core.Page) Query {
	return list(d, "block_type", "t", func(b *builder) {
		var ts []term
		if fs.Types != nil {
			ts = append(ts, func() { b.blockType("t", fs.Types) })
		}
		if fs.Schemas != nil {
			ts = append(ts, b.exists("block_schema s WHERE s.block_type_id = t.id", func() { b.blockSchema("s", fs.Schemas) }))
		}
		b.all(core.And, ts)
	}, map[string]string{"": "t.name, t.id"}, "", p)
}

func BlockSchemas(d Dialect, fs core.BlockFilters, p *core.Page) Query {
	return list(d, "block_schema", "s", func(b *builder) {
		x := fs.Schemas
		if x == nil {
			x = &core.BlockSchemaFilter{}
		}
		b.blockSchema("s", x)
	}, map[string]string{"": "s.created DESC, s.id DESC"}, "", p)
}

func BlockDocuments(d Dialect, fs core.BlockFilters, p *core.Page) Query {
	return list(d, "block_document", "d", func(b *builder) {
		x := fs.Documents
		if x == nil {
			x = &core.BlockDocumentFilter{}
		}
		ts := []term{func() { b.blockDocument(x) }}
		if fs.Types != nil {
			ts = append(ts, b.exists("block_type t WHERE t.id = d.block_type_id", func() { b.blockType("t", fs.Types) }))
		}
		if fs.Schemas != nil {
			ts = append(ts, b.exists("block_schema s WHERE s.id = d.block_schema_id", func() { b.blockSchema("s", fs.Schemas) }))
		}
		b.all(core.And, ts)
	}, map[string]string{
		"NAME_ASC": "d.name, d.id", "NAME_DESC": "d.name DESC, d.id DESC",
		"BLOCK_TYPE_AND_NAME_ASC": "(SELECT o.name FROM block_type o WHERE o.id = d.block_type_id), d.name, d.id",
	}, "NAME_ASC", p)
}
