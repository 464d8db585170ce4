package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/private"
)

const fileHead = `# The keys that seal block documents, such as secrets, in the database.
# Keep a copy apart from the database: without it they cannot be read.
# The first key seals, the others open what was sealed before.
`

// File reads the keys of the file, which it makes with a fresh key where it is
// not there yet.
func File(path string) (*Ring, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, core.Errorf(core.EUnavailable, "cannot make the key file: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err = errors.Join(err, private.Existing(path)); err != nil {
		return nil, core.Errorf(core.EUnavailable, "cannot read the key file: %w", err)
	}
	return Parse(path, string(text))
}

// create lets only one of two processes that start together make the key.
func create(path string) error {
	k := make([]byte, keyBytes)
	if _, err := rand.Read(k); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(fileHead + base64.StdEncoding.EncodeToString(k) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
