package block

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// CreateBlockDocument answers with the secrets masked. EConflict for a taken
// name, or a type, schema or document that does not exist.
func (s *Blocks) CreateBlockDocument(ctx context.Context, c core.BlockDocumentCreate) (*core.BlockDocument, error) {
	now := s.now()
	d := &core.BlockDocument{
		ID:            core.NewID(),
		Created:       now,
		Updated:       now,
		Name:          core.Deref(c.Name),
		BlockSchemaID: c.BlockSchemaID,
		BlockTypeID:   c.BlockTypeID,
		IsAnonymous:   c.IsAnonymous,
	}
	switch {
	case d.Name != "" && !blockSlug.MatchString(d.Name):
		return nil, core.InvalidField("name", "Block document name must only contain lowercase letters, numbers, and dashes.")
	case d.Name == "" && !c.IsAnonymous:
		return nil, core.InvalidField("name", "Names must be provided for block documents.")
	case d.Name == "":
		d.Name = "anonymous-" + core.NewID().String()
	}
	var err error
	if d.Refs, err = blockReferences(c.Data); err != nil {
		return nil, err
	}
	if err := s.seal(d, c.Data); err != nil {
		return nil, err
	}
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if err := s.checkBlockDocument(ctx, tx, d); err != nil {
			return err
		}
		if _, err := tx.BlockDocumentByName(ctx, d.BlockType.Slug, d.Name); err == nil {
			return core.Errorf(core.EConflict, "Block already exists")
		}
		return tx.InsertBlockDocument(ctx, d)
	})
	if err != nil {
		return nil, err
	}
	s.secretsChanged()
	return s.BlockDocument(ctx, d.ID, false)
}

// checkBlockDocument finds what the document stands on.
func (s *Blocks) checkBlockDocument(ctx context.Context, tx Tx, d *core.BlockDocument) error {
	schema, err := tx.BlockSchema(ctx, d.BlockSchemaID)
	switch {
	case core.IsNotFound(err):
		return core.Errorf(core.EConflict, "Block schema %s does not exist; register the block first.", d.BlockSchemaID)
	case err != nil:
		return err
	case schema.BlockTypeID != d.BlockTypeID:
		return core.Errorf(core.EConflict, "Block schema %s is not one of block type %s.", schema.ID, d.BlockTypeID)
	}
	d.BlockSchema, d.BlockType = schema, schema.BlockType
	for name, id := range d.Refs {
		if _, err := tx.BlockDocument(ctx, id); core.IsNotFound(err) {
			return core.Errorf(core.EConflict, "The block document %s, which %q refers to, does not exist.", id, name)
		} else if err != nil {
			return err
		}
		loops, err := leadsTo(ctx, tx, id, d.ID, 0)
		if err != nil {
			return err
		}
		if loops {
			return core.Errorf(core.EConflict, "The block document would contain itself under %q.", name)
		}
	}
	return nil
}

// leadsTo: from is to, or refers to it in some steps.
func leadsTo(ctx context.Context, r core.BlockReader, from, to core.UUID, depth int) (bool, error) {
	if from == to || depth > maxNested {
		return true, nil
	}
	d, err := r.BlockDocument(ctx, from)
	if err != nil {
		return false, err
	}
	for _, next := range d.Refs {
		if loops, err := leadsTo(ctx, r, next, to, depth+1); loops || err != nil {
			return loops, err
		}
	}
	return false, nil
}

// blockReferences takes {"$ref": {"block_document_id": …}} out of the data.
func blockReferences(data map[string]core.JSON) (map[string]core.UUID, error) {
	refs := map[string]core.UUID{}
	for key, value := range data {
		m, ok := anyOf(value).(map[string]any)
		ref, has := m["$ref"]
		if !ok || !has {
			continue
		}
		target, _ := ref.(map[string]any)
		text, _ := target["block_document_id"].(string)
		id, err := core.ParseUUID(text)
		if err != nil {
			return nil, core.InvalidField("data", "Received block reference without a block_document_id in key "+key)
		}
		refs[key] = id
	}
	return refs, nil
}

// seal puts data without what it refers to into d.
func (s *Blocks) seal(d *core.BlockDocument, data map[string]core.JSON) error {
	own := make(map[string]core.JSON, len(data))
	for k, v := range data {
		if _, ref := d.Refs[k]; !ref {
			own[k] = v
		}
	}
	plain, err := json.Marshal(own)
	if err != nil {
		return core.InvalidField("data", "data is not an object: "+err.Error())
	}
	d.Sealed, err = s.sealer.Seal(d.ID, plain)
	return err
}

// UpdateBlockDocument returns ENotFound, EConflict for what a reference names
// in vain, or EBadRequest for a schema of another type. A masked secret in the
// data stands for the secret that is stored.
func (s *Blocks) UpdateBlockDocument(ctx context.Context, id core.UUID, u core.BlockDocumentUpdate) error {
	given := u.Data.Or(map[string]core.JSON{})
	refs, err := blockReferences(given)
	if err != nil {
		return err
	}
	merge := u.Merge.Or(true)
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		d, err := tx.LockBlockDocument(ctx, id)
		if err != nil {
			return err
		}
		if next := u.BlockSchemaID.Or(d.BlockSchemaID); next != d.BlockSchemaID {
			schema, err := tx.BlockSchema(ctx, next)
			switch {
			case core.IsNotFound(err):
				return core.Errorf(core.EConflict, "Block schema %s does not exist; register the block first.", next)
			case err != nil:
				return err
			case schema.BlockTypeID != d.BlockTypeID:
				return core.Errorf(core.EBadRequest, "Must migrate block document to a block schema of the same block type.")
			}
			d.BlockSchemaID = next
		}
		if u.Data.Set {
			if err := s.changeData(ctx, tx, d, given, refs, merge); err != nil {
				return err
			}
		}
		d.Updated = s.now()
		return tx.UpdateBlockDocument(ctx, d)
	})
	if err == nil {
		s.secretsChanged()
	}
	return err
}

func (s *Blocks) changeData(
	ctx context.Context,
	tx Tx,
	d *core.BlockDocument,
	given map[string]core.JSON,
	refs map[string]core.UUID,
	merge bool,
) error {
	full, shown := *d, *d
	err := s.openBlocks(ctx, tx, []*core.BlockDocument{&full}, true)
	if err == nil {
		err = s.openBlocks(ctx, tx, []*core.BlockDocument{&shown}, false)
	}
	if err != nil && (merge || core.CodeOf(err) != core.EConflict) {
		return err // else it cannot be opened, but is replaced as a whole
	}
	was, _ := anyOf(full.Data).(map[string]any)
	before, _ := anyOf(shown.Data).(map[string]any)
	now := map[string]any{}
	asRead := map[string]bool{}
	for k, v := range given {
		now[k] = anyOf(v)
		asRead[k] = reflect.DeepEqual(now[k], before[k])
	}
	for _, p := range d.BlockSchema.SecretPaths() {
		now, _ = unmask(now, was, p).(map[string]any)
	}
	next, nextRefs := map[string]core.JSON{}, maps.Clone(refs)
	for k, v := range was {
		if _, replaced := given[k]; replaced || !merge {
			continue
		}
		if id, ref := d.Refs[k]; ref {
			nextRefs[k] = id
		} else {
			next[k] = core.ToJSON(v)
		}
	}
	for k, v := range now {
		if _, ref := refs[k]; ref {
			continue
		}
		// What was read in place of a reference and comes back as it was is still that reference.
		if id, ref := d.Refs[k]; ref && (asRead[k] || reflect.DeepEqual(v, was[k])) {
			nextRefs[k] = id
			continue
		}
		next[k] = core.ToJSON(v)
	}
	d.Refs = nextRefs
	if err := s.checkBlockDocument(ctx, tx, d); err != nil {
		return err
	}
	return s.seal(d, next)
}

// DeleteBlockDocument returns ENotFound if there is no such document.
func (s *Blocks) DeleteBlockDocument(ctx context.Context, id core.UUID) error {
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error { return tx.DeleteBlockDocument(ctx, id) })
	if err == nil {
		s.secretsChanged()
	}
	return err
}

// BlockDocument is the document with its data, in which secrets are masked
// unless they are asked for. ENotFound if there is none. Data that cannot be
// decrypted is EConflict where secrets are asked for, else empty.
func (s *Blocks) BlockDocument(ctx context.Context, id core.UUID, secrets bool) (*core.BlockDocument, error) {
	d, err := s.store.BlockDocument(ctx, id)
	if err != nil {
		return nil, err
	}
	return d, s.openBlocks(ctx, s.store, []*core.BlockDocument{d}, secrets)
}

func (s *Blocks) BlockDocumentByName(ctx context.Context, typeSlug, name string, secrets bool) (*core.BlockDocument, error) {
	d, err := s.store.BlockDocumentByName(ctx, typeSlug, name)
	if err != nil {
		return nil, err
	}
	return d, s.openBlocks(ctx, s.store, []*core.BlockDocument{d}, secrets)
}

func (s *Blocks) BlockDocuments(ctx context.Context, f core.BlockFilters, p core.Page, secrets bool) ([]*core.BlockDocument, error) {
	docs, err := s.store.BlockDocuments(ctx, f, p)
	if err != nil {
		return nil, err
	}
	return docs, s.openBlocks(ctx, s.store, docs, secrets)
}

// openBlocks decrypts the documents and puts into their data what they refer to.
func (s *Blocks) openBlocks(ctx context.Context, r core.BlockReader, docs []*core.BlockDocument, secrets bool) error {
	all := map[core.UUID]*core.BlockDocument{}
	for level := docs; len(level) > 0; {
		var next []core.UUID
		for _, d := range level {
			all[d.ID] = d
			for _, id := range d.Refs {
				if all[id] == nil {
					next = append(next, id)
				}
			}
		}
		level = nil
		if len(next) > 0 {
			var err error
			if level, err = r.BlockDocumentsByIDs(ctx, next); err != nil {
				return err
			}
		}
	}
	for _, d := range docs {
		data, refs, err := s.openBlock(d, all, secrets, 0)
		if err != nil {
			return err
		}
		d.Data, d.References = core.ToJSON(data), refs
	}
	return nil
}

func (s *Blocks) openBlock(
	d *core.BlockDocument,
	all map[core.UUID]*core.BlockDocument,
	secrets bool,
	depth int,
) (map[string]any, map[string]core.BlockReference, error) {
	plain, err := s.sealer.Open(d.ID, d.Sealed)
	switch {
	case err == nil:
	case secrets || core.CodeOf(err) != core.EConflict:
		return nil, nil, err
	default: // it can still be listed, replaced and deleted
		plain = []byte("{}")
	}
	data, _ := anyOf(plain).(map[string]any)
	if data == nil {
		data = map[string]any{}
	}
	refs := map[string]core.BlockReference{}
	for name, id := range d.Refs {
		child := all[id]
		if child == nil || depth > maxNested {
			continue // deleted just now
		}
		inner, innerRefs, err := s.openBlock(child, all, secrets, depth+1)
		if err != nil {
			return nil, nil, err
		}
		data[name] = inner
		refs[name] = core.BlockReference{Document: core.BlockReferenced{
			ID: child.ID, Name: child.Name, BlockType: child.BlockType, IsAnonymous: child.IsAnonymous, References: innerRefs,
		}}
	}
	if !secrets {
		for _, p := range d.BlockSchema.SecretPaths() {
			data, _ = mask(data, p).(map[string]any)
		}
	}
	return data, refs, nil
}
