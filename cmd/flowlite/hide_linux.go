package main

import (
	"math"

	"golang.org/x/sys/unix"
)

// hideProcess keeps the environment and the memory of this process, which contain
// credentials, from other processes of the same user, such as flows: only root can
// read them in /proc or attach a debugger. Programs that this process starts are not
// affected. The system then writes no core dump of it.
//
// Files that whoever started this process had open do not reach flows either.
// Kernels before 5.11 do not know this call.
func hideProcess() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
}
