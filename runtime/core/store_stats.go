package core

import (
	"sync/atomic"
	"time"
)

// StoreStats is what a Store has done since it was opened, and how it stands now.
type StoreStats struct {
	Commits    int64 // transactions that committed
	Statements int64 // that were sent to the database, in transactions and outside, with BEGIN and COMMIT
	Writes     int64 // calls of Write that the commits were for; on SQLite many share one
	Failed     int64 // calls of Write that the database refused, not their caller
	WALBytes   int64 // size of SQLite's write-ahead log; 0 on PostgreSQL

	// Connections of the pool; SQLite counts those of its readers.
	InUse, Idle, MaxConnections int64
	// Waits counts requests that had to wait for a connection.
	Waits int64

	WriteTime Durations // of each call of Write
}

// DurationBounds are the upper bounds of Durations' buckets, in seconds.
var DurationBounds = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Durations is a snapshot of a DurationCounter.
type Durations struct {
	Count   int64
	Seconds float64                         // sum
	Within  [len(DurationBounds) + 1]uint64 // how many per bucket; the last has no upper bound
}

// DurationCounter counts durations by size. It is safe for concurrent use.
type DurationCounter struct {
	sum    atomic.Int64 // nanoseconds
	within [len(DurationBounds) + 1]atomic.Uint64
}

// Add counts d.
func (c *DurationCounter) Add(d time.Duration) {
	i := 0
	for s := d.Seconds(); i < len(DurationBounds) && s > DurationBounds[i]; {
		i++
	}
	c.within[i].Add(1)
	c.sum.Add(int64(d))
}

// Snapshot returns what was counted.
func (c *DurationCounter) Snapshot() Durations {
	d := Durations{Seconds: time.Duration(c.sum.Load()).Seconds()}
	for i := range c.within {
		d.Within[i] = c.within[i].Load()
		d.Count += int64(d.Within[i])
	}
	return d
}
