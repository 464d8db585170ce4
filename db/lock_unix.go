//go:build unix

package db

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/flowlite/flowlite/runtime/core"
)

// lockFile takes the right to write a database file. The lock is the
// system's, so that it dies with its process; the file only tells whose it is.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, core.Errorf(
			core.EUnavailable,
			"database %s cannot be locked for writing: %w; choose a directory that can be written",
			path,
			err,
		)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 32)
		n, _ := f.ReadAt(holder, 0)
		_ = f.Close()
		return nil, core.Errorf(
			core.EUnavailable,
			"database %s is in use by another flowlite process (pid %s); stop it, or use another database",
			path,
			strings.TrimSpace(string(holder[:n])),
		)
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return f, nil
}
