//go:build unix

package daemon

import (
	"os"
	"os/exec"
	"syscall"
)

func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

func terminate(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }

// Detach lets a command outlive its terminal.
func Detach(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return nil
}
