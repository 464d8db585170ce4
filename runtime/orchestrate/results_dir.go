package orchestrate

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite/runtime/core"
)

var _ core.ResultStore = dirResults("")

type dirResults string

// DirResults keeps results as files under a folder, readable by people.
func DirResults(dir string) core.ResultStore { return dirResults(dir) }

func (d dirResults) path(key string) (string, error) {
	if key == "" || !filepath.IsLocal(filepath.FromSlash(key)) {
		return "", core.Errorf(core.EInvalid, "the result key %q is not a relative path; use one like <run>/<task>-1.json", key)
	}
	return filepath.Join(string(d), filepath.FromSlash(key)), nil
}

// Put writes beside the place and renames, and syncs both: what a state
// refers to must be there after a power cut, too.
func (d dirResults) Put(_ context.Context, key string, data []byte) error {
	path, err := d.path(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return core.Errorf(core.EUnavailable, "results folder: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".result-*")
	if err != nil {
		return core.Errorf(core.EUnavailable, "results folder: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return core.Errorf(core.EUnavailable, "result not written: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return core.Errorf(core.EUnavailable, "results folder: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (d dirResults) Get(_ context.Context, key string) ([]byte, error) {
	path, err := d.path(key)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, core.NotFound("Result")
	}
	return b, err
}

func (d dirResults) DeleteAll(_ context.Context, folder string) error {
	path, err := d.path(folder)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(path); err != nil {
		return core.Errorf(core.EUnavailable, "results folder: %w", err)
	}
	return nil
}
