//go:build !unix

package daemon

import (
	"errors"
	"os"
	"os/exec"
)

var errSystem = errors.New("servers in the background need a Unix system; here, let its own service manager start one")

func lock(*os.File) error { return nil }

func terminate(int) error { return errSystem }

// Detach lets a command outlive its terminal.
func Detach(*exec.Cmd) error { return errSystem }
