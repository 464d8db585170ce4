package server

import (
	"context"
	"encoding/json"

	"github.com/flowlite/flowlite/runtime/core"
)

// holderSetting names the holder of the leases of this database's own worker.
const holderSetting = "server.holder"

// recoverRuns gives up the leases of the process that had this database before.
// The lock on a SQLite file is the proof that it has ended; without it its runs
// would wait until their leases expire.
func (s *Server) recoverRuns(ctx context.Context, holder core.UUID) error {
	if s.store.Shared() {
		return nil
	}
	var before core.UUID
	old, err := s.store.Setting(ctx, holderSetting)
	if err == nil {
		err = json.Unmarshal(old, &before)
	}
	if err != nil && !core.IsNotFound(err) {
		return err
	}
	given := 0
	err = s.store.Write(ctx, func(tx core.Tx) error {
		given = 0
		if !before.IsZero() {
			runs, err := tx.RenewLeases(ctx, before, core.LeaseReleased)
			if err != nil {
				return err
			}
			given = len(runs)
		}
		return tx.PutSetting(ctx, holderSetting, core.ToJSON(holder))
	})
	if err != nil || given == 0 {
		return err
	}
	s.cfg.Log.Warn("flowlite ended without stopping its runs; they go on now", "runs", given)
	_, err = s.service.ExpireLeases(ctx)
	return err
}
