//go:build !unix

package db

import (
	"os"

	"github.com/flowlite/flowlite/runtime/core"
)

func lockFile(path string) (*os.File, error) {
	// An open file cannot be removed here, so that removal tells of a holder.
	if err := os.Remove(path + ".lock"); err != nil && !os.IsNotExist(err) {
		return nil, core.Errorf(core.EUnavailable, "database %s is in use by another flowlite process; stop it, or use another database", path)
	}
	return os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}
