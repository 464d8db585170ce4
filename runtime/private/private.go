// Package private makes files and directories that only their owner can read: the
// database, results and logs hold what flows were given and what they returned.
package private

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const others = 0o077

// Dir makes a directory, and those above it, with mode 0700. One that exists, also
// at the end of a symbolic link, loses the rights of group and others.
func Dir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return tighten(path, info)
}

// File makes an empty file with mode 0600 if there is none. One that exists keeps
// its contents and loses the rights of group and others.
func File(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return Existing(path)
}

// Existing takes the rights of group and others from files and directories that
// exist. It leaves alone what symbolic links lead to, which may serve others, too.
func Existing(paths ...string) error {
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err == nil {
			err = tighten(path, info)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Tree is Existing for a directory and all that it contains, until ctx is done.
func Tree(ctx context.Context, dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = Existing(path)
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			err = nil // deleted meanwhile, or another user's
		}
		return errors.Join(err, ctx.Err())
	})
}

// Home makes a data directory as Dir does, and is Existing for the files that
// flowlite has stored in it, but not for those in its subdirectories.
func Home(dir string) error {
	if err := Dir(dir); err != nil {
		return err
	}
	for _, pattern := range []string{"flowlite.db*", "encryption.key", "profiles.yaml", "server.log", "server-*.json", "results", "cache"} {
		names, err := filepath.Glob(filepath.Join(escape.Replace(dir), pattern))
		if err = errors.Join(err, Existing(names...)); err != nil {
			return err
		}
	}
	return nil
}

var escape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)

// tighten leaves alone what belongs to another user, who decides about it.
func tighten(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&others == 0 || info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	if err := os.Chmod(path, info.Mode().Perm()&^others); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}
