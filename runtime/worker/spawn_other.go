//go:build unix && !linux

package worker

import "syscall"

// Elsewhere only the flow's own watch of its standard input sees the parent die.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
