package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/flowlite/flowlite/runtime/core"
)

// lockFile keeps a second flowlite off a SQLite file: each would wake only its
// own workers and watchers. The system releases it however the holder dies.
func lockFile(database string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(database), 0o755); err != nil {
		return nil, core.Errorf(core.EUnavailable, "cannot make the data folder: %w; set FLOWLITE_HOME to one that can be written", err)
	}
	f, err := os.OpenFile(database+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, core.Errorf(core.EUnavailable, "cannot write to the data folder: %w; set FLOWLITE_HOME to one that can be written", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		text := make([]byte, 200)
		n, _ := f.Read(text)
		f.Close()
		who := strings.TrimSpace(string(text[:n]))
		if who == "" {
			who = "another process"
		}
		return nil, core.Errorf(core.EConflict, "the database %s is in use by %s; use that flowlite, stop it, or give this one its own FLOWLITE_HOME", database, who)
	}
	if err != nil { // some network file systems have no locks
		return f, nil
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(fmt.Sprintf("another flowlite (process %d)\n", os.Getpid())), 0)
	return f, nil
}
