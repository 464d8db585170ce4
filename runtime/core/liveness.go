package core

import (
	"context"
	"io"
	"time"
)

// Liveness grants named leases, so that of many servers one runs each loop.
// A single process holds every lease it asks for. A lease saves work and guards
// no truth: while servers see different halves of a broken network, two of them
// may hold it for a moment.
type Liveness interface {
	// Hold takes or renews the lease for ttl; false means another holds it.
	Hold(ctx context.Context, name string, holder UUID, ttl time.Duration) (bool, error)
	Release(ctx context.Context, name string, holder UUID) error
}

// ResultStore keeps results that are too large to ride inline in a state. Keys
// are slash-separated paths without dots segments.
type ResultStore interface {
	Put(ctx context.Context, key string, data []byte) error // whole or not at all
	Get(ctx context.Context, key string) ([]byte, error)    // ENotFound
	// GetUpTo returns nil in place of more than most bytes, and the size of either.
	GetUpTo(ctx context.Context, key string, most int64) (data []byte, size int64, err error)
	DeleteAll(ctx context.Context, folder string) error // all keys below; fine if there is none
}

// ResultStreams is a ResultStore that does not hold a whole result in memory.
type ResultStreams interface {
	ResultStore
	PutFrom(ctx context.Context, key string, r io.Reader) error         // whole or not at all; an error of r as it is
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error) // with the size in bytes; ENotFound
}

// MaxResult bounds a result in bytes; MaxWholeResult bounds one in a store that
// takes and gives results as a whole, such as a database.
const (
	MaxResult      = 256 << 20
	MaxWholeResult = 64 << 20
)
