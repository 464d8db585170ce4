// Package private makes files and directories that only their owner can read: the
// database, results and logs hold what flows were given and what they returned.
//
// Import law: private imports nothing of flowlite.
package private

import (
	"errors"
	"io/fs"
	"os"
)

const others = 0o077

// Dir makes a directory, and those above it, with mode 0700. One that exists loses
// the rights of group and others.
func Dir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return tighten(path)
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
	return tighten(path)
}

// Existing takes the rights of group and others from files that exist.
func Existing(paths ...string) error {
	for _, path := range paths {
		if err := tighten(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// tighten leaves alone what belongs to another user, who decides about it.
func tighten(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&others == 0 {
		return nil
	}
	if err := os.Chmod(path, info.Mode().Perm()&^others); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}
