package orchestrate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

var _ core.ResultStreams = DirResults("")

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
func (d DirResults) Put(ctx context.Context, key string, data []byte) error {
	return d.PutFrom(ctx, key, bytes.NewReader(data))
}

// PutFrom is Put for what is read from r. An error of r is returned as it is.
func (d DirResults) PutFrom(_ context.Context, key string, r io.Reader) error {
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
	in := &reading{Reader: r}
	_, err = io.Copy(f, in)
	if in.err != nil {
		_ = f.Close()
		return in.err
	}
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

// reading tells an error of the reader from one of the writer.
type reading struct {
	io.Reader
	err error
}

func (r *reading) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// Open returns a result, for its reader to close, and its size in bytes.
func (d DirResults) Open(_ context.Context, key string) (io.ReadCloser, int64, error) {
	path, err := d.path(key)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, core.NotFound("Result")
	}
	if err != nil {
		return nil, 0, core.Errorf(core.EUnavailable, "result not read: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = core.NotFound("Result")
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func (d DirResults) GetUpTo(ctx context.Context, key string, most int64) (data []byte, size int64, err error) {
	f, size, err := d.Open(ctx, key)
	if err != nil || size > most {
		if f != nil {
			_ = f.Close()
		}
		return nil, size, err
	}
	data = make([]byte, size)
	_, err = io.ReadFull(f, data)
	return data, size, errors.Join(err, f.Close())
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
		return each(filepath.ToSlash(key), data, core.TimeFrom(info.ModTime()))
	})
}
