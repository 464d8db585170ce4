package server

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// Whatever a server keeps is its owner's alone, and what an earlier version left
// open to others is closed at the next start.
func TestFilesArePrivate(t *testing.T) {
	cfg := testConfig(t)
	cfg.Home = filepath.Join(t.TempDir(), "made", "home")
	cfg.Worker = true
	s := start(t, cfg)
	if err := s.results().Put(t.Context(), "run/task-1.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	private := func() {
		t.Helper()
		seen := 0
		err := filepath.WalkDir(cfg.Home, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			seen++
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			return nil
		})
		if err != nil || seen < 7 {
			t.Fatalf("%d files, %v", seen, err)
		}
	}
	private()
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "results", "flowlite.db", "encryption.key"} {
		path := filepath.Join(cfg.Home, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if info.IsDir() {
			mode = 0o755
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	s = start(t, cfg)
	if _, err := s.Store().WorkPools(t.Context(), nil, core.Page{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	private()
}
