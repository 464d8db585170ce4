package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Caller says whose credentials a request has. The zero Caller has those of the
// server: a person, a worker, a client.
type Caller struct {
	Run   core.UUID // the flow run whose own credentials these are
	Lease core.UUID // the lease with which the run got them
	Name  string    // the person whom Config.Identity names
}

// IsRun reports whether the caller has only the credentials of a flow run.
func (c Caller) IsRun() bool { return !c.Run.IsZero() }

// RunKey signs the auth strings of flow runs, so that any server with the key
// knows them and none has to store them. A nil RunKey gives none.
type RunKey struct{ key []byte }

// NewRunKey takes a secret that all servers of a database share, and that no flow
// can read. The auth string of the server is a part of the key: when it changes,
// the auth strings of runs change, too. It returns nil if there is no auth string.
func NewRunKey(secret []byte, authString string) *RunKey {
	if authString == "" {
		return nil
	}
	return &RunKey{sum(secret, []byte("flow runs\x00"+authString))}
}

func sum(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		_, _ = mac.Write(p)
	}
	return mac.Sum(nil)
}

// AuthString returns the credentials of a run for as long as it has the lease, as
// user:password.
func (k *RunKey) AuthString(run, lease core.UUID) string {
	if k == nil {
		return ""
	}
	ids := slices.Concat(run[:], lease[:])
	return core.RunAuthUser + ":" + core.RunAuthMark + hex.EncodeToString(append(ids, sum(k.key, ids)...))
}

// caller reads an auth string of AuthString.
func (k *RunKey) caller(authString string) (c Caller, ok bool) {
	if k == nil {
		return c, false
	}
	text, ok := strings.CutPrefix(strings.TrimPrefix(authString, core.RunAuthUser+":"), core.RunAuthMark)
	raw, err := hex.DecodeString(text)
	if !ok || err != nil || len(raw) != 2*len(c.Run)+sha256.Size {
		return c, false
	}
	ids := raw[:2*len(c.Run)]
	if !hmac.Equal(raw[len(ids):], sum(k.key, ids)) {
		return c, false
	}
	copy(c.Run[:], ids)
	copy(c.Lease[:], ids[len(c.Run):])
	return c, true
}

// heldFor is how long an answer on a run's credentials is good.
const heldFor = 3 * time.Second

// runs remembers for a moment which runs still have their credentials.
type runs struct {
	has func(ctx context.Context, run, lease core.UUID) (bool, error)
	now func() time.Time

	mu    sync.Mutex
	known map[Caller]held
}

type held struct {
	has   bool
	until time.Time
}

// check returns EUnauth if the run has ended or somebody else executes it.
func (r *runs) check(ctx context.Context, c Caller) error {
	now := r.now()
	r.mu.Lock()
	h, ok := r.known[c]
	r.mu.Unlock()
	if !ok || !now.Before(h.until) {
		has, err := r.has(ctx, c.Run, c.Lease)
		if err != nil {
			return err
		}
		h = held{has, now.Add(heldFor)}
		r.mu.Lock()
		if len(r.known) >= manyAddresses {
			for k, old := range r.known {
				if !now.Before(old.until) {
					delete(r.known, k)
				}
			}
		}
		r.known[c] = h
		r.mu.Unlock()
	}
	if !h.has {
		return core.Errorf(core.EUnauth, "these are the credentials of flow run %s, which has ended or is executed elsewhere", c.Run)
	}
	return nil
}
