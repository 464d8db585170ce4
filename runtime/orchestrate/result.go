package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// PutResult keeps a result that is too large for a state, whole or not at all.
func (s *Service) PutResult(ctx context.Context, key string, data []byte) error {
	if s.results == nil {
		return core.Errorf(core.EUnavailable, "this server keeps no results; set FLOWLITE_HOME to a folder it may write to")
	}
	return s.results.Put(ctx, key, data)
}

// Result returns ENotFound if nothing is kept under the key.
func (s *Service) Result(ctx context.Context, key string) ([]byte, error) {
	if s.results == nil {
		return nil, core.NotFound("Result")
	}
	return s.results.Get(ctx, key)
}
