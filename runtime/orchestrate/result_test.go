package orchestrate_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// zeros are n bytes that are nowhere in memory.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestResultStores is what every store of results does: files, and PostgreSQL.
func TestResultStores(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		results := db.Results(h.Store)
		streams := results == nil
		if streams {
			results = orchestrate.DirResults(t.TempDir())
		}
		s := local.New(local.Config{Store: h.Store, Bus: h.Bus, Results: results, Log: slog.New(slog.DiscardHandler)})
		if err := s.PutResultFrom(h.Ctx, "run/a.json", strings.NewReader(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("the client is gone")
		for _, key := range []string{"run/a.json", "run/b.json"} { // the one before stays, and none is half there
			if err := s.PutResultFrom(h.Ctx, key, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
				t.Errorf("%s: %v", key, err)
			}
		}
		r, size, err := s.OpenResult(h.Ctx, "run/a.json")
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil || size != 7 || string(whole) != `{"a":1}` {
			t.Errorf("%d bytes %q %v", size, whole, err)
		}
		for most, want := range map[int64]string{6: "", 7: `{"a":1}`, 100: `{"a":1}`} {
			data, size, err := s.ResultUpTo(h.Ctx, "run/a.json", most)
			if err != nil || size != 7 || string(data) != want {
				t.Errorf("up to %d: %d bytes, %q, %v", most, size, data, err)
			}
		}
		_, _, missing := s.ResultUpTo(h.Ctx, "run/b.json", 1)
		_, _, closed := s.OpenResult(h.Ctx, "run/b.json")
		if !core.IsNotFound(missing) || !core.IsNotFound(closed) {
			t.Errorf("%v, %v", missing, closed)
		}
		for _, put := range []error{
			s.PutResultFrom(h.Ctx, "run/large.bin", zeros(core.MaxWholeResult+1)),
			s.PutResult(h.Ctx, "run/large.bin", bytes.Repeat([]byte("x"), core.MaxWholeResult+1)),
		} {
			if streams && put != nil || !streams && (core.CodeOf(put) != core.EInvalid || !strings.Contains(put.Error(), "64 MiB")) {
				t.Errorf("a large result: %v", put)
			}
		}
		if err := s.PutResultFrom(h.Ctx, "../out", strings.NewReader("")); core.CodeOf(err) != core.EInvalid {
			t.Errorf("a key that leads out: %v", err)
		}
	})
}
