package block

import (
	"context"
	"regexp"
	"strings"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

var blockSlug = regexp.MustCompile(`^[a-z0-9-]+$`)

// CreateBlockType returns EConflict for a taken name or slug and EForbidden
// for a reserved one.
func (s *Blocks) CreateBlockType(ctx context.Context, c core.BlockTypeCreate) (*core.BlockType, error) {
	if c.Name == "" {
		return nil, core.InvalidField("name", "a block type needs a name")
	}
	if err := core.CheckName("block type", c.Name); err != nil {
		return nil, err
	}
	if strings.HasPrefix(strings.ToLower(c.Name), "prefect") {
		return nil, core.Errorf(core.EForbidden, "Block type names beginning with 'Prefect' are reserved.")
	}
	if !blockSlug.MatchString(c.Slug) {
		return nil, core.InvalidField("slug", "Block type slug must only contain lowercase letters, numbers, and dashes.")
	}
	now := s.now()
	t := &core.BlockType{
		ID: core.NewID(), Created: now, Updated: now, Name: c.Name, Slug: c.Slug, LogoURL: c.LogoURL,
		DocumentationURL: c.DocumentationURL, Description: c.Description, CodeExample: c.CodeExample,
	}
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error { return tx.InsertBlockType(ctx, t) })
	if core.CodeOf(err) == core.EConflict {
		return nil, core.Errorf(core.EConflict, "Block type with name %q already exists", c.Name)
	}
	return t, err
}

// UpdateBlockType returns ENotFound if there is no such type.
func (s *Blocks) UpdateBlockType(ctx context.Context, id core.UUID, u core.BlockTypeUpdate) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		t, err := tx.BlockType(ctx, id)
		if err != nil {
			return err
		}
		changed := false
		for _, f := range []struct {
			to   **string
			from core.Opt[string]
		}{{&t.LogoURL, u.LogoURL}, {&t.DocumentationURL, u.DocumentationURL}, {&t.Description, u.Description}, {&t.CodeExample, u.CodeExample}} {
			if f.from.Set && (f.from.Null != (*f.to == nil) || core.Deref(*f.to) != f.from.V) {
				*f.to, changed = f.from.Ptr(), true
			}
		}
		if !changed {
			return nil
		}
		t.Updated = s.now()
		return tx.UpdateBlockType(ctx, t)
	})
}

// DeleteBlockType removes the type with its schemas and documents; ENotFound,
// or EForbidden for a protected type.
func (s *Blocks) DeleteBlockType(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		t, err := tx.BlockType(ctx, id)
		if err != nil {
			return err
		}
		if t.IsProtected {
			return core.Errorf(core.EForbidden, "protected block types cannot be deleted.")
		}
		return tx.DeleteBlockType(ctx, id)
	})
}
