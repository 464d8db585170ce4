package block

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

const nonVersioned = "non-versioned"

// CreateBlockSchema returns the stored schema of the same checksum and version
// if there is one. ENotFound if the type is unknown, EConflict if one of a
// type that the schema refers to is.
func (s *Blocks) CreateBlockSchema(ctx context.Context, c core.BlockSchemaCreate) (schema *core.BlockSchema, created bool, err error) {
	fields := map[string]any{}
	for k, v := range c.Fields {
		fields[k] = anyOf(v)
	}
	put := func(tx core.Tx, _ *commit.Outbox) error {
		t, err := tx.BlockType(ctx, c.BlockTypeID)
		if core.IsNotFound(err) {
			return core.Errorf(core.ENotFound, "Block type %s not found.", c.BlockTypeID)
		}
		if err != nil {
			return err
		}
		schema, created, err = s.putBlockSchema(ctx, tx, t, fields, c.Capabilities, version(c.Version), 0)
		return err
	}
	if err = s.commit.Write(ctx, put); core.CodeOf(err) == core.EConflict {
		err = s.commit.Write(ctx, put) // on Postgres another may have made it meanwhile: now it is found
	}
	return schema, created, err
}

func version(v *string) string {
	if v == nil || *v == "" {
		return nonVersioned
	}
	return *v
}

// maxNested bounds how deep blocks may stand within each other.
const maxNested = 50

func (s *Blocks) putBlockSchema(
	ctx context.Context,
	tx Tx,
	t *core.BlockType,
	fields map[string]any,
	capabilities core.Tags,
	version string,
	depth int,
) (*core.BlockSchema, bool, error) {
	sum := blockChecksum(fields)
	if known, err := tx.BlockSchemaByChecksum(ctx, sum, version); !core.IsNotFound(err) {
		return known, false, err
	}
	if depth > maxNested {
		return nil, false, core.Errorf(core.EConflict, "the block schema stands within itself, or more than %d deep", maxNested)
	}
	now := s.now()
	schema := &core.BlockSchema{
		ID: core.NewID(), Created: now, Updated: now, Checksum: sum, Fields: core.ToJSON(storedFields(fields)),
		BlockTypeID: t.ID, BlockType: t, Capabilities: capabilities, Version: version,
	}
	if err := tx.InsertBlockSchema(ctx, schema); err != nil {
		return nil, false, err
	}
	return schema, true, s.nestedSchemas(ctx, tx, fields, depth)
}

// nestedSchemas registers the schemas that fields refers to and that are not
// known yet, from the definitions that came along.
func (s *Blocks) nestedSchemas(ctx context.Context, tx Tx, fields map[string]any, depth int) error {
	references, _ := fields["block_schema_references"].(map[string]any)
	definitions, _ := fields["definitions"].(map[string]any)
	for _, r := range references {
		list, many := r.([]any)
		if !many {
			list = []any{r}
		}
		for _, x := range list {
			ref, _ := x.(map[string]any)
			slug, _ := ref["block_type_slug"].(string)
			sum, _ := ref["block_schema_checksum"].(string)
			t, err := tx.BlockTypeBySlug(ctx, slug)
			if core.IsNotFound(err) {
				return core.Errorf(
					core.EConflict,
					"Cannot create block schema because block type '%s' was not found. Did you forget to register the block type?",
					slug,
				)
			}
			if err != nil {
				return err
			}
			if _, err := tx.BlockSchemaByChecksum(ctx, sum, ""); !core.IsNotFound(err) {
				if err != nil {
					return err
				}
				continue
			}
			for _, d := range definitions {
				def, _ := d.(map[string]any)
				if def["block_type_slug"] != slug {
					continue
				}
				child := map[string]any{"definitions": definitions}
				maps.Copy(child, def)
				if _, _, err := s.putBlockSchema(ctx, tx, t, child, nil, nonVersioned, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// storedFields is fields as clients read them back: always with the key of the
// references, and without definitions that define nothing.
func storedFields(fields map[string]any) map[string]any {
	out := map[string]any{"block_schema_references": map[string]any{}}
	maps.Copy(out, fields)
	if all, ok := out["definitions"].(map[string]any); ok {
		kept := map[string]any{}
		for k, v := range all {
			if m, isMap := v.(map[string]any); !isMap || len(m) > 0 {
				kept[k] = v
			}
		}
		if out["definitions"] = kept; len(kept) == 0 {
			delete(out, "definitions")
		}
	}
	return out
}

// DeleteBlockSchema removes the schema with its documents; ENotFound, or
// EForbidden for one of a protected type.
func (s *Blocks) DeleteBlockSchema(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		schema, err := tx.BlockSchema(ctx, id)
		if err != nil {
			return err
		}
		if schema.BlockType.IsProtected {
			return core.Errorf(core.EForbidden, "Block schemas for protected block types cannot be deleted.")
		}
		return tx.DeleteBlockSchema(ctx, id)
	})
}

// anyOf decodes JSON without rounding its numbers.
func anyOf(j core.JSON) (v any) {
	if len(j) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(j))
	d.UseNumber()
	_ = d.Decode(&v)
	return v
}
