package orchestrate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// PutResult keeps a result that is too large for a state, whole or not at all.
func (s *Service) PutResult(ctx context.Context, key string, data []byte) error {
	return s.PutResultFrom(ctx, key, bytes.NewReader(data))
}

// PutResultFrom is PutResult for what is read from r. An error of r is returned
// as it is. EInvalid for more than MaxWholeResult bytes where the store takes
// results as a whole.
func (s *Service) PutResultFrom(ctx context.Context, key string, r io.Reader) error {
	if s.results == nil {
		return core.Errorf(core.EUnavailable, "this server stores no results; start it with a home directory that it can write to")
	}
	if err := checkResultKey(key); err != nil {
		return err
	}
	switch stays, err := s.permitResult(ctx, key); {
	case err != nil:
		return err
	case stays:
		return s.sameResult(ctx, key, r)
	}
	if streams, ok := s.results.(core.ResultStreams); ok {
		return streams.PutFrom(ctx, key, r)
	}
	data, err := io.ReadAll(io.LimitReader(r, core.MaxWholeResult+1))
	if err != nil {
		return err
	}
	if len(data) > core.MaxWholeResult {
		return core.Errorf(core.EInvalid, "the result is larger than the %d MiB that a database stores; "+
			"write it to a file or an object store, and return its address", core.MaxWholeResult>>20)
	}
	return s.results.Put(ctx, key, data)
}

// sameResult returns EForbidden if r differs from the result that is stored.
func (s *Service) sameResult(ctx context.Context, key string, r io.Reader) error {
	stored, _, err := s.OpenResult(ctx, key)
	if err != nil {
		return err
	}
	defer func() { _ = stored.Close() }()
	same, err := sameBytes(stored, r)
	if err == nil && !same {
		err = core.Errorf(core.EForbidden, "The credentials of a flow run do not allow to replace the result %q, which exists; "+
			"use a key that begins with the id of the flow run", core.CutText(key, 200))
	}
	return err
}

func sameBytes(a, b io.Reader) (bool, error) {
	x, y := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		for _, err := range []error{errA, errB} {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		if errA != nil {
			return true, nil //nolint:nilerr // both end here
		}
	}
}

// maxResultName is the longest part of a result's key: parts are names of files.
const maxResultName = 200

// checkResultKey is the same wherever results are stored.
func checkResultKey(key string) error {
	if key == "" || strings.ContainsRune(key, 0) || !filepath.IsLocal(filepath.FromSlash(key)) {
		return core.Errorf(core.EInvalid, "the result key %q is not a relative path; use one like <run>/<task>-1.json", core.CutText(key, 200))
	}
	for part := range strings.SplitSeq(key, "/") {
		if len(part) > maxResultName {
			return core.Errorf(
				core.EInvalid,
				"a part of the result key has %d bytes; at most %d are allowed between two slashes",
				len(part),
				maxResultName,
			)
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

// ResultUpTo returns a result of at most so many bytes, and nil for a larger
// one, with the size of either.
func (s *Service) ResultUpTo(ctx context.Context, key string, most int64) (data []byte, size int64, err error) {
	if s.results == nil {
		return nil, 0, core.NotFound("Result")
	}
	return s.results.GetUpTo(ctx, key, most)
}

// OpenResult is Result for those who read piece by piece and close it; it tells
// the size in bytes.
func (s *Service) OpenResult(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if streams, ok := s.results.(core.ResultStreams); ok {
		return streams.Open(ctx, key)
	}
	data, err := s.Result(ctx, key)
	return io.NopCloser(bytes.NewReader(data)), int64(len(data)), err
}
