package db

import (
	"cmp"
	"context"
	"slices"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func blockTypeOf(r *row.BlockType) *core.BlockType {
	return &core.BlockType{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Slug: r.Slug, LogoURL: r.LogoUrl,
		DocumentationURL: r.DocumentationUrl, Description: r.Description, CodeExample: r.CodeExample, IsProtected: r.IsProtected,
	}
}

func blockSchemaOf(r *row.BlockSchema) *core.BlockSchema {
	return &core.BlockSchema{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Checksum: r.Checksum, Fields: r.Fields,
		BlockTypeID: r.BlockTypeID, Capabilities: r.Capabilities, Version: r.Version,
	}
}

func blockDocumentOf(r *row.BlockDocument) *core.BlockDocument {
	return &core.BlockDocument{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Sealed: r.Sealed,
		BlockSchemaID: r.BlockSchemaID, BlockTypeID: r.BlockTypeID, IsAnonymous: r.IsAnonymous,
	}
}

func (r *reader) BlockType(ctx context.Context, id core.UUID) (*core.BlockType, error) {
	x, err := r.q.GetBlockType(ctx, row.GetBlockTypeParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Block type")
	}
	return blockTypeOf(&x), nil
}

func (r *reader) BlockTypeBySlug(ctx context.Context, slug string) (*core.BlockType, error) {
	x, err := r.q.GetBlockTypeBySlug(ctx, row.GetBlockTypeBySlugParams{Slug: slug})
	if err != nil {
		return nil, r.err(err, "Block type")
	}
	return blockTypeOf(&x), nil
}

func (r *reader) BlockTypes(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockType, error) {
	ids, err := r.ids(ctx, queries.BlockTypes(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	return r.blockTypes(ctx, ids)
}

func (r *reader) blockTypes(ctx context.Context, ids []core.UUID) ([]*core.BlockType, error) {
	return byIDs(ids, func(ids []core.UUID) ([]row.BlockType, error) {
		rows, err := r.q.ListBlockTypesByIDs(ctx, row.ListBlockTypesByIDsParams{Ids: ids})
		return rows, r.err(err, "Block type")
	}, blockTypeOf, func(x *row.BlockType) core.UUID { return x.ID })
}

func (r *reader) BlockSchema(ctx context.Context, id core.UUID) (*core.BlockSchema, error) {
	x, err := r.q.GetBlockSchema(ctx, row.GetBlockSchemaParams{ID: id})
	return r.blockSchema(ctx, &x, err)
}

func (r *reader) BlockSchemaByChecksum(ctx context.Context, checksum, version string) (*core.BlockSchema, error) {
	if version == "" {
		x, err := r.q.GetBlockSchemaByChecksum(ctx, row.GetBlockSchemaByChecksumParams{Checksum: checksum})
		return r.blockSchema(ctx, &x, err)
	}
	x, err := r.q.GetBlockSchemaByVersion(ctx, row.GetBlockSchemaByVersionParams{Checksum: checksum, Version: version})
	return r.blockSchema(ctx, &x, err)
}

func (r *reader) blockSchema(ctx context.Context, x *row.BlockSchema, err error) (*core.BlockSchema, error) {
	if err != nil {
		return nil, r.err(err, "Block schema")
	}
	s := blockSchemaOf(x)
	s.BlockType, err = r.BlockType(ctx, s.BlockTypeID)
	return s, err
}

func (r *reader) BlockSchemas(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockSchema, error) {
	ids, err := r.ids(ctx, queries.BlockSchemas(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	return r.blockSchemas(ctx, ids)
}

func (r *reader) blockSchemas(ctx context.Context, ids []core.UUID) ([]*core.BlockSchema, error) {
	schemas, err := byIDs(ids, func(ids []core.UUID) ([]row.BlockSchema, error) {
		rows, err := r.q.ListBlockSchemasByIDs(ctx, row.ListBlockSchemasByIDsParams{Ids: ids})
		return rows, r.err(err, "Block schema")
	}, blockSchemaOf, func(x *row.BlockSchema) core.UUID { return x.ID })
	if err != nil {
		return nil, err
	}
	types, err := r.blockTypes(ctx, once(schemas, func(s *core.BlockSchema) core.UUID { return s.BlockTypeID }))
	for _, s := range schemas {
		s.BlockType = withID(types, s.BlockTypeID, func(t *core.BlockType) core.UUID { return t.ID })
	}
	return schemas, err
}

func (r *reader) BlockCapabilities(ctx context.Context) ([]string, error) {
	lists, err := r.q.ListBlockCapabilities(ctx)
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.Sort(all)
	return slices.Compact(all), r.err(err, "Block schema")
}

func (r *reader) BlockDocument(ctx context.Context, id core.UUID) (*core.BlockDocument, error) {
	docs, err := r.BlockDocumentsByIDs(ctx, []core.UUID{id})
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, core.NotFound("Block document")
	}
	return docs[0], nil
}

func (r *reader) BlockDocumentByName(ctx context.Context, typeSlug, name string) (*core.BlockDocument, error) {
	id, err := r.q.GetBlockDocumentID(ctx, row.GetBlockDocumentIDParams{Slug: typeSlug, Name: name})
	if err != nil {
		return nil, r.err(err, "Block document")
	}
	return r.BlockDocument(ctx, id)
}

func (r *reader) BlockDocumentsByIDs(ctx context.Context, ids []core.UUID) ([]*core.BlockDocument, error) {
	docs, err := byIDs(ids, func(ids []core.UUID) ([]row.BlockDocument, error) {
		rows, err := r.q.ListBlockDocumentsByIDs(ctx, row.ListBlockDocumentsByIDsParams{Ids: ids})
		return rows, r.err(err, "Block document")
	}, blockDocumentOf, func(x *row.BlockDocument) core.UUID { return x.ID })
	if err != nil || len(docs) == 0 {
		return docs, err
	}
	schemas, err := r.blockSchemas(ctx, once(docs, func(d *core.BlockDocument) core.UUID { return d.BlockSchemaID }))
	if err != nil {
		return nil, err
	}
	refs, err := r.q.ListBlockReferences(ctx, row.ListBlockReferencesParams{Ids: pad(ids)})
	if err != nil {
		return nil, r.err(err, "Block document")
	}
	for _, d := range docs {
		d.BlockSchema = withID(schemas, d.BlockSchemaID, func(s *core.BlockSchema) core.UUID { return s.ID })
		if d.BlockSchema == nil || d.BlockSchema.BlockType == nil {
			continue // deleted between the statements
		}
		d.BlockType = d.BlockSchema.BlockType
		d.BlockTypeName = &d.BlockType.Name
		d.Refs = map[string]core.UUID{}
		for _, x := range refs {
			if x.ParentDocumentID == d.ID {
				d.Refs[x.Name] = x.ReferenceDocumentID
			}
		}
	}
	return slices.DeleteFunc(docs, func(d *core.BlockDocument) bool { return d.BlockType == nil }), nil
}

func (r *reader) BlockDocuments(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockDocument, error) {
	ids, err := r.ids(ctx, queries.BlockDocuments(r.d, f, &p))
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return r.BlockDocumentsByIDs(ctx, ids)
}

func (r *reader) CountBlockDocuments(ctx context.Context, f core.BlockFilters) (int64, error) {
	return r.count(ctx, queries.BlockDocuments(r.d, f, nil))
}

func (r *reader) SealedOtherwise(ctx context.Context, prefix string, after core.UUID, limit int) ([]core.SealedDocument, error) {
	if after.IsZero() { // which is NULL in the database, and above NULL is nothing
		after = core.UUID{15: 1}
	}
	rows, err := r.q.ListBlockDocumentsSealedOtherwise(
		ctx,
		row.ListBlockDocumentsSealedOtherwiseParams{Prefix: prefix, AfterID: after, Lim: lim(limit)},
	)
	out := make([]core.SealedDocument, len(rows))
	for i, x := range rows {
		out[i] = core.SealedDocument(x)
	}
	return out, r.err(err, "Block document")
}

// once is the ids of list without repetition.
func once[T any](list []*T, id func(*T) core.UUID) (ids []core.UUID) {
	for _, x := range list {
		if k := id(x); !slices.Contains(ids, k) {
			ids = append(ids, k)
		}
	}
	return ids
}

func withID[T any](list []*T, want core.UUID, id func(*T) core.UUID) *T {
	for _, x := range list {
		if id(x) == want {
			return x
		}
	}
	return nil
}

func (t *tx) InsertBlockType(ctx context.Context, x *core.BlockType) error {
	if err := cmp.Or(core.MaxBlockTypeName.Check(x.Name), core.MaxBlockTypeSlug.Check(x.Slug)); err != nil {
		return err
	}
	return t.err(t.q.InsertBlockType(ctx, row.InsertBlockTypeParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Name: x.Name, Slug: x.Slug, LogoUrl: x.LogoURL,
		DocumentationUrl: x.DocumentationURL, Description: x.Description, CodeExample: x.CodeExample, IsProtected: x.IsProtected,
	}), "Block type")
}

func (t *tx) UpdateBlockType(ctx context.Context, x *core.BlockType) error {
	if err := cmp.Or(core.MaxBlockTypeName.Check(x.Name), core.MaxBlockTypeSlug.Check(x.Slug)); err != nil {
		return err
	}
	n, err := t.q.UpdateBlockType(ctx, row.UpdateBlockTypeParams{
		LogoUrl: x.LogoURL, DocumentationUrl: x.DocumentationURL, Description: x.Description,
		CodeExample: x.CodeExample, IsProtected: x.IsProtected, Updated: x.Updated, ID: x.ID,
	})
	return t.one(n, err, "Block type")
}

func (t *tx) DeleteBlockType(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteBlockType(ctx, row.DeleteBlockTypeParams{ID: id})
	return t.one(n, err, "Block type")
}

func (t *tx) InsertBlockSchema(ctx context.Context, x *core.BlockSchema) error {
	if err := cmp.Or(core.MaxBlockSchemaSum.Check(x.Checksum), core.MaxBlockSchemaVersion.Check(x.Version)); err != nil {
		return err
	}
	return t.err(t.q.InsertBlockSchema(ctx, row.InsertBlockSchemaParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Checksum: x.Checksum, Version: x.Version,
		Fields: x.Fields.OrObject(), Capabilities: x.Capabilities, BlockTypeID: x.BlockTypeID,
	}), "Block schema")
}

func (t *tx) DeleteBlockSchema(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteBlockSchema(ctx, row.DeleteBlockSchemaParams{ID: id})
	return t.one(n, err, "Block schema")
}

func (t *tx) InsertBlockDocument(ctx context.Context, x *core.BlockDocument) error {
	if err := core.MaxBlockDocumentName.Check(x.Name); err != nil {
		return err
	}
	err := t.q.InsertBlockDocument(ctx, row.InsertBlockDocumentParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Name: x.Name, Sealed: x.Sealed,
		BlockSchemaID: x.BlockSchemaID, BlockTypeID: x.BlockTypeID, IsAnonymous: x.IsAnonymous,
	})
	if err != nil {
		return t.err(err, "Block document")
	}
	return t.putBlockReferences(ctx, x)
}

func (t *tx) LockBlockDocument(ctx context.Context, id core.UUID) (*core.BlockDocument, error) {
	if _, err := t.q.LockBlockDocument(ctx, row.LockBlockDocumentParams{ID: id}); err != nil {
		return nil, t.err(err, "Block document")
	}
	return t.BlockDocument(ctx, id)
}

func (t *tx) UpdateBlockDocument(ctx context.Context, x *core.BlockDocument) error {
	if err := core.MaxBlockDocumentName.Check(x.Name); err != nil {
		return err
	}
	n, err := t.q.UpdateBlockDocument(ctx, row.UpdateBlockDocumentParams{
		Sealed: x.Sealed, BlockSchemaID: x.BlockSchemaID, Updated: x.Updated, ID: x.ID,
	})
	if err := t.one(n, err, "Block document"); err != nil {
		return err
	}
	if err := t.q.DeleteBlockReferences(ctx, row.DeleteBlockReferencesParams{ParentDocumentID: x.ID}); err != nil {
		return t.err(err, "Block document")
	}
	return t.putBlockReferences(ctx, x)
}

func (t *tx) putBlockReferences(ctx context.Context, x *core.BlockDocument) error {
	for name, id := range x.Refs {
		if err := core.MaxBlockReferenceName.Check(name); err != nil {
			return err
		}
		err := t.q.InsertBlockReference(ctx, row.InsertBlockReferenceParams{ParentDocumentID: x.ID, Name: name, ReferenceDocumentID: id})
		if err != nil {
			return t.err(err, "Block document")
		}
	}
	return nil
}

func (t *tx) DeleteBlockDocument(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteBlockDocument(ctx, row.DeleteBlockDocumentParams{ID: id})
	return t.one(n, err, "Block document")
}

func (t *tx) ResealBlockDocument(ctx context.Context, id core.UUID, was, sealed string) (bool, error) {
	n, err := t.q.ResealBlockDocument(ctx, row.ResealBlockDocumentParams{Sealed: sealed, ID: id, Was: was})
	return n > 0, t.err(err, "Block document")
}
