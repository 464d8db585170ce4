package python

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite/runtime/core"
)

//go:embed runner.py
var runner []byte

// ExitMark begins the line of a process's stderr that says why it ends.
const ExitMark = "\x1eflowlite: "

// ExitRefused is the exit code of a runner that could not begin.
const ExitRefused = 78

// Runner writes runner.py into a cache folder, once per version of it, and
// returns its path: a process is easier to recognise by a file's name.
func Runner(cacheDir string) (string, error) {
	sum := sha256.Sum256(runner)
	dir := filepath.Join(cacheDir, "python", hex.EncodeToString(sum[:6]))
	path := filepath.Join(dir, "flowlite_runner.py")
	if st, err := os.Stat(path); err == nil && st.Size() == int64(len(runner)) {
		return path, nil
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = writeWhole(dir, path)
	}
	if err != nil {
		return "", core.Errorf(core.EUnavailable, "python runner: %w", err)
	}
	return path, nil
}

// writeWhole renames last: other processes share the folder.
func writeWhole(dir, path string) error {
	f, err := os.CreateTemp(dir, ".runner-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(runner)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
