package block

import (
	"context"
	_ "embed"
	"encoding/json"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// The block types that every server knows, with the schemas of the clients of
// 3.4.9 and 3.8.8: their fields to the letter, since a schema is found by its
// checksum. Newer schemas stand first: the last one registered is the newest.
// At the end two of our own, so that notifications need no Python.
//
//go:embed builtin.json
var builtinBlocks []byte

type builtinBlock struct {
	core.BlockTypeCreate
	// Unprotected: a client may have a type of its own of this slug, or write
	// its own over it.
	Unprotected bool `json:"unprotected"`
	Schemas     []struct {
		Version      string    `json:"version"`
		Checksum     string    `json:"checksum"`
		Capabilities core.Tags `json:"capabilities"`
		Fields       core.JSON `json:"fields"`
	} `json:"schemas"`
}

func builtins() (list []builtinBlock, err error) {
	err = json.Unmarshal(builtinBlocks, &list)
	return list, err
}

// RegisterBlocks makes the types that every server knows, where they are
// missing, and seals anew what an older key has sealed.
func (s *Blocks) RegisterBlocks(ctx context.Context) error {
	list, err := builtins()
	if err != nil {
		return err
	}
	for _, b := range list {
		err := s.registerBlock(ctx, b)
		if core.CodeOf(err) == core.EConflict { // another server did it just now
			err = s.registerBlock(ctx, b)
		}
		if core.CodeOf(err) == core.EConflict {
			s.log.Error("a block type of the server's own is missing: another type has its name", "type", b.Slug, "error", err)
		} else if err != nil {
			return err
		}
	}
	return s.resealBlocks(ctx)
}

func (s *Blocks) registerBlock(ctx context.Context, b builtinBlock) error {
	known, err := s.store.BlockTypeBySlug(ctx, b.Slug)
	if err == nil && b.Unprotected {
		return nil
	}
	if err == nil && known.IsProtected {
		missing := false
		for _, x := range b.Schemas {
			_, err := s.store.BlockSchemaByChecksum(ctx, x.Checksum, x.Version)
			missing = missing || err != nil
		}
		if !missing {
			return nil
		}
	}
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		t, err := tx.BlockTypeBySlug(ctx, b.Slug)
		switch {
		case core.IsNotFound(err):
			now := s.now()
			t = &core.BlockType{
				ID: core.NewID(), Created: now, Updated: now, Name: b.Name, Slug: b.Slug, LogoURL: b.LogoURL,
				DocumentationURL: b.DocumentationURL, Description: b.Description, CodeExample: b.CodeExample, IsProtected: !b.Unprotected,
			}
			err = tx.InsertBlockType(ctx, t)
		case err == nil && !t.IsProtected && !b.Unprotected:
			t.IsProtected = true
			err = tx.UpdateBlockType(ctx, t)
		}
		if err != nil {
			return err
		}
		for _, x := range b.Schemas {
			fields, _ := anyOf(x.Fields).(map[string]any)
			if _, _, err := s.putBlockSchema(ctx, tx, t, fields, x.Capabilities, x.Version, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// resealBlocks ends the use of keys that are no longer the first.
func (s *Blocks) resealBlocks(ctx context.Context) error {
	var after core.UUID
	done, lost := 0, 0
	for {
		docs, err := s.store.SealedOtherwise(ctx, s.sealer.Prefix(), after, core.MaxLimit)
		if err != nil {
			return err
		}
		for _, d := range docs {
			after = d.ID
			plain, err := s.sealer.Open(d.ID, d.Sealed)
			if err != nil {
				if lost++; lost == 1 {
					s.log.Error("a block cannot be read", "error", err)
				}
				continue
			}
			sealed, err := s.sealer.Seal(d.ID, plain)
			if err != nil {
				return err
			}
			err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
				_, err := tx.ResealBlockDocument(ctx, d.ID, d.Sealed, sealed)
				return err
			})
			if err != nil {
				return err
			}
			done++
		}
		if len(docs) < core.MaxLimit {
			break
		}
	}
	if done > 0 {
		s.log.Info("blocks were sealed with the new key", "blocks", done)
	}
	if lost > 0 {
		s.log.Error("blocks are sealed with keys that are not at hand", "blocks", lost)
	}
	return nil
}
