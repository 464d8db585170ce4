package dbtest

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

func blocks(s *suite) {
	kind := &core.BlockType{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "Box", Slug: "box"}
	s.write(func(tx core.Tx) error { return tx.InsertBlockType(s.ctx, kind) })
	for _, change := range []func(*core.BlockType){
		func(t *core.BlockType) { t.Name = "Other" }, func(t *core.BlockType) { t.Slug = "other" },
	} {
		same := *kind
		same.ID = core.NewID()
		change(&same)
		s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.InsertBlockType(s.ctx, &same) }), core.EConflict)
	}
	kind.Description, kind.IsProtected = core.Ptr("a box"), true
	s.write(func(tx core.Tx) error { return tx.UpdateBlockType(s.ctx, kind) })
	s.eq(*must(s.BlockTypeBySlug(s.ctx, "box"))(s).Description, "a box")
	s.eq(must(s.BlockType(s.ctx, kind.ID))(s).IsProtected, true)

	schema := func(checksum, version string, capabilities ...string) *core.BlockSchema {
		s.now++
		x := &core.BlockSchema{ID: core.NewID(), Created: s.now, Updated: s.now, Checksum: checksum, Version: version,
			Fields: core.JSON(`{"title": "Box"}`), Capabilities: capabilities, BlockTypeID: kind.ID}
		s.write(func(tx core.Tx) error { return tx.InsertBlockSchema(s.ctx, x) })
		return x
	}
	first, second := schema("sha256:a", "1", "read"), schema("sha256:a", "2", "read", "write")
	s.code(s.Write(s.ctx, func(tx core.Tx) error {
		x := *first
		x.ID = core.NewID()
		return tx.InsertBlockSchema(s.ctx, &x)
	}), core.EConflict)
	s.eq(must(s.BlockSchemaByChecksum(s.ctx, "sha256:a", ""))(s).ID, second.ID)
	s.eq(must(s.BlockSchemaByChecksum(s.ctx, "sha256:a", "1"))(s).ID, first.ID)
	_, err := s.BlockSchemaByChecksum(s.ctx, "sha256:a", "3")
	s.code(err, core.ENotFound)
	s.eq(must(s.BlockSchema(s.ctx, first.ID))(s).BlockType.Slug, "box")
	s.eq(must(s.BlockCapabilities(s.ctx))(s), []string{"read", "write"})

	doc := func(name string, anonymous bool, refs map[string]core.UUID) *core.BlockDocument {
		d := &core.BlockDocument{ID: core.NewID(), Created: s.now, Updated: s.now, Name: name, Sealed: "1:old:" + name,
			BlockSchemaID: first.ID, BlockTypeID: kind.ID, IsAnonymous: anonymous, Refs: refs}
		s.write(func(tx core.Tx) error { return tx.InsertBlockDocument(s.ctx, d) })
		return d
	}
	inner := doc("inner", false, nil)
	outer := doc("outer", false, map[string]core.UUID{"in": inner.ID, "again": inner.ID})
	hidden := doc("hidden", true, nil)
	s.code(s.Write(s.ctx, func(tx core.Tx) error {
		d := *inner
		d.ID = core.NewID()
		return tx.InsertBlockDocument(s.ctx, &d)
	}), core.EConflict)
	s.code(s.Write(s.ctx, func(tx core.Tx) error {
		d := *inner
		d.ID, d.Name, d.Refs = core.NewID(), "dangling", map[string]core.UUID{"x": core.NewID()}
		return tx.InsertBlockDocument(s.ctx, &d)
	}), core.EConflict)

	got := must(s.BlockDocumentByName(s.ctx, "box", "outer"))(s)
	s.eq(got.ID, outer.ID)
	s.eq(got.Refs, outer.Refs)
	s.eq(got.Sealed, "1:old:outer")
	s.eq(*got.BlockTypeName, "Box")
	s.eq(got.BlockSchema.Checksum+got.BlockSchema.BlockType.Slug+got.BlockType.Slug, "sha256:aboxbox")
	_, err = s.BlockDocumentByName(s.ctx, "bin", "outer")
	s.code(err, core.ENotFound)
	_, err = s.BlockDocument(s.ctx, core.NewID())
	s.code(err, core.ENotFound)

	got.Sealed, got.BlockSchemaID, got.Refs = "1:new:outer", second.ID, map[string]core.UUID{"in": inner.ID}
	s.write(func(tx core.Tx) error {
		locked := must(tx.LockBlockDocument(s.ctx, outer.ID))(s)
		s.eq(locked.Sealed, outer.Sealed)
		return tx.UpdateBlockDocument(s.ctx, got)
	})
	s.code(s.Write(s.ctx, func(tx core.Tx) error { _, err := tx.LockBlockDocument(s.ctx, core.NewID()); return err }), core.ENotFound)
	got = must(s.BlockDocument(s.ctx, outer.ID))(s)
	s.eq(got.BlockSchemaID, second.ID)
	s.eq(got.Refs, map[string]core.UUID{"in": inner.ID})
	s.eq(len(must(s.SealedOtherwise(s.ctx, "1:new:", core.UUID{}, 0))(s)), 2)
	s.eq(len(must(s.SealedOtherwise(s.ctx, "1:new:", inner.ID, 0))(s)), 1)
	for i, was := range []string{"1:old:inner", "1:old:inner"} {
		s.write(func(tx core.Tx) error {
			changed, err := tx.ResealBlockDocument(s.ctx, inner.ID, was, "1:new:inner")
			s.eq(changed, i == 0)
			return err
		})
	}

	txt := func(v string) *core.TextFilter { return &core.TextFilter{Like: &v} }
	for i, c := range []struct {
		f    core.BlockFilters
		want string
	}{
		{core.BlockFilters{}, "inner outer"},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{}}, "inner outer"},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{IsAnonymous: core.Null[core.BoolFilter]()}}, "hidden inner outer"},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{IsAnonymous: core.Some(core.BoolFilter{Eq: core.Ptr(true)})}}, "hidden"},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{IsAnonymous: core.Some(core.BoolFilter{Eq: core.Ptr(false)})}}, "inner outer"},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{ID: &core.IDFilter{Any: []core.UUID{hidden.ID}}}}, ""},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{Name: txt("OUT")}}, "outer"},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{Operator: core.Or, Name: txt("OUT"), ID: &core.IDFilter{Any: []core.UUID{hidden.ID}}}}, "outer"},
		{core.BlockFilters{Documents: &core.BlockDocumentFilter{BlockTypeID: &core.IDFilter{Any: []core.UUID{core.NewID()}}}}, ""},
		{core.BlockFilters{Types: &core.BlockTypeFilter{Slug: &core.TextFilter{Any: []string{"box"}}}}, "inner outer"},
		{core.BlockFilters{Types: &core.BlockTypeFilter{Name: txt("bag")}}, ""},
		{core.BlockFilters{Schemas: &core.BlockSchemaFilter{Capabilities: &core.TagFilter{All: []string{"write", "read"}}}}, "outer"},
		{core.BlockFilters{Schemas: &core.BlockSchemaFilter{Version: &core.TextFilter{Any: []string{"1"}}}}, "inner"},
	} {
		var names string
		var namesSb114 strings.Builder
		for _, d := range must(s.BlockDocuments(s.ctx, c.f, core.Page{}))(s) {
			namesSb114.WriteString(d.Name + " ")
		}
		names += namesSb114.String()
		if names != c.want+" " && names+c.want != "" {
			s.Errorf("filter %d: %q, want %q", i, names, c.want)
		}
		n := must(s.CountBlockDocuments(s.ctx, c.f))(s)
		s.eq(n, len(must(s.BlockDocuments(s.ctx, c.f, core.Page{}))(s)))
	}
	for _, sort := range core.BlockDocumentSorts {
		s.eq(len(must(s.BlockDocuments(s.ctx, core.BlockFilters{}, core.Page{Sort: sort, Limit: 1, Offset: 1}))(s)), 1)
	}
	writers := core.BlockFilters{Schemas: &core.BlockSchemaFilter{Capabilities: &core.TagFilter{All: []string{"write"}}}}
	s.eq(must(s.BlockSchemas(s.ctx, writers, core.Page{}))(s)[0].ID, second.ID)
	s.eq(must(s.BlockSchemas(s.ctx, core.BlockFilters{}, core.Page{Limit: 1}))(s)[0].ID, second.ID)
	s.eq(len(must(s.BlockTypes(s.ctx, writers, core.Page{}))(s)), 1)
	s.eq(len(must(s.BlockTypes(s.ctx, core.BlockFilters{Types: &core.BlockTypeFilter{Name: txt("x")}}, core.Page{}))(s)), 1)

	s.write(func(tx core.Tx) error { return tx.DeleteBlockDocument(s.ctx, inner.ID) })
	s.eq(len(must(s.BlockDocument(s.ctx, outer.ID))(s).Refs), 0)
	s.write(func(tx core.Tx) error { return tx.DeleteBlockSchema(s.ctx, second.ID) })
	_, err = s.BlockDocument(s.ctx, outer.ID)
	s.code(err, core.ENotFound)
	s.write(func(tx core.Tx) error { return tx.DeleteBlockType(s.ctx, kind.ID) })
	_, err = s.BlockDocument(s.ctx, hidden.ID)
	s.code(err, core.ENotFound)
	s.code(s.Write(s.ctx, func(tx core.Tx) error {
		return tx.DeleteBlockType(s.ctx, kind.ID)
	}), core.ENotFound)
}
