package core

import (
	"context"
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
	DeleteAll(ctx context.Context, folder string) error     // all keys below; fine if there is none
}
