package block

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

const defaultStorageKey = "default_result_storage_block_id"

// DefaultResultStorage is the block that clients keep results in unless they
// say otherwise; zero is none. A block that was deleted is none.
func (s *Blocks) DefaultResultStorage(ctx context.Context) (id core.UUID, err error) {
	value, err := s.store.Setting(ctx, defaultStorageKey)
	if core.IsNotFound(err) || err == nil && value.IsNull() {
		return core.UUID{}, nil
	}
	if err == nil {
		err = json.Unmarshal(value, &id)
	}
	if err != nil {
		return core.UUID{}, err
	}
	if _, err = s.store.BlockDocument(ctx, id); core.IsNotFound(err) {
		return core.UUID{}, nil
	}
	return id, err
}

// SetDefaultResultStorage returns ENotFound, or EInvalid for a block that
// cannot store anything. The zero id sets none.
func (s *Blocks) SetDefaultResultStorage(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if !id.IsZero() {
			d, err := tx.BlockDocument(ctx, id)
			if core.IsNotFound(err) {
				return core.Errorf(core.ENotFound, "Block document %s not found.", id)
			}
			if err != nil {
				return err
			}
			if !slices.Contains(d.BlockSchema.Capabilities, "write-path") {
				return core.Errorf(core.EInvalid, "Block document %s cannot be used for result storage.", id)
			}
		}
		return tx.PutSetting(ctx, defaultStorageKey, core.ToJSON(id))
	})
}
