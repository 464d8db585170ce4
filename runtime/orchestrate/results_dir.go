package orchestrate

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

var _ core.ResultStore = DirResults("")

// DirResults keeps results as files under a folder, readable by people.
type DirResults string

const unfinished = ".result-" // begins the name of a file that is being written

func (d DirResults) path(key string) (string, error) {
	if err := checkResultKey(key); err != nil {
		return "", err
	}
	return filepath.Join(string(d), filepath.FromSlash(key)), nil
}

// Put writes beside the place and renames, and syncs both: what a state
// refers to must be there after a power cut, too.
func (d DirResults) Put(_ context.Context, key string, data []byte) error {
	path, err := d.path(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return core.Errorf(core.EUnavailable, "results folder: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
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

func (d DirResults) Get(_ context.Context, key string) ([]byte, error) {
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

func (d DirResults) DeleteAll(_ context.Context, folder string) error {
	path, err := d.path(folder)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(path); err != nil {
		return core.Errorf(core.EUnavailable, "results folder: %w", err)
	}
	return nil
}

// Each gives every result, and when it was written. A folder that is not there
// holds none.
func (d DirResults) Each(ctx context.Context, each func(key string, data []byte, written core.Time) error) error {
	return filepath.WalkDir(string(d), func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == string(d):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !e.Type().IsRegular() || strings.HasPrefix(e.Name(), unfinished):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(string(d), path)
		if err != nil {
			return err
		}
		return each(filepath.ToSlash(key), data, core.At(info.ModTime()))
	})
}
