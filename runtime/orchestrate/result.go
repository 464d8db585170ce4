package orchestrate

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// PutResult keeps a result that is too large for a state, whole or not at all.
func (s *Service) PutResult(ctx context.Context, key string, data []byte) error {
	if s.results == nil {
		return core.Errorf(core.EUnavailable, "this server keeps no results; set FLOWLITE_HOME to a folder it may write to")
	}
	if err := checkResultKey(key); err != nil {
		return err
	}
	return s.results.Put(ctx, key, data)
}

// maxResultName is the longest part of a result's key: parts are names of files.
const maxResultName = 200

// checkResultKey is the same wherever results are stored.
func checkResultKey(key string) error {
	if key == "" || strings.ContainsRune(key, 0) || !filepath.IsLocal(filepath.FromSlash(key)) {
		return core.Errorf(core.EInvalid, "the result key %q is not a relative path; use one like <run>/<task>-1.json", cutText(key, 200))
	}
	for part := range strings.SplitSeq(key, "/") {
		if len(part) > maxResultName {
			return core.Errorf(core.EInvalid, "a part of the result key has %d bytes; at most %d are allowed between two slashes", len(part), maxResultName)
		}
	}
	return core.MaxResultKey.Check(key)
}

// Result returns ENotFound if nothing is kept under the key.
func (s *Service) Result(ctx context.Context, key string) ([]byte, error) {
	if s.results == nil {
		return nil, core.NotFound("Result")
	}
	return s.results.Get(ctx, key)
}
