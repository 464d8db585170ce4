package db

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// storeCounts is what a store counts of its writes.
type storeCounts struct {
	commits, failed, statements atomic.Int64
	write                       core.DurationCounter
}

// count runs a call of Write. What its caller refused or gave up is no failure of
// the database.
func (c *storeCounts) count(write func() error) error {
	begin := time.Now()
	err := write()
	c.write.Add(time.Since(begin))
	if err != nil && !errors.Is(err, context.Canceled) {
		if code := core.CodeOf(err); code == core.EUnavailable || code == core.EInternal {
			c.failed.Add(1)
		}
	}
	return err
}

func (c *storeCounts) stats() core.StoreStats {
	d := c.write.Snapshot()
	return core.StoreStats{Commits: c.commits.Load(), Statements: c.statements.Load(), Writes: d.Count, Failed: c.failed.Load(), WriteTime: d}
}
