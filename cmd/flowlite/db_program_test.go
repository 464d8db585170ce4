package main_test

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A backup of a server that runs, in a process of its own, is what it held.
func TestBackupAndRestore(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(t.TempDir(), "backup.db")
	p := newCommand(t, home, "server", "start")
	defer p.kill(syscall.SIGKILL)
	p.start()
	p.says("", 0, "", "variable", "set", "when", "before")
	p.says("", 0, "encryption.key", "db", "backup", file)
	p.says("", 0, "is sound", "db", "check")
	p.says("", 0, "", "variable", "set", "when", "after", "--overwrite")
	p.says("", 1, "--yes", "db", "backup", file)
	p.says("", 2, "--yes", "db", "restore", file)
	p.says("", 1, "in use by another flowlite process", "db", "restore", file, "--yes")
	p.says("", 1, "in use by another flowlite process", "db", "copy", "--from", "sqlite:"+filepath.Join(home, "flowlite.db"), "--to", "sqlite:"+file+"2")
	p.kill(syscall.SIGKILL)
	p.says("", 0, "results", "db", "restore", file, "--yes")
	p.start()
	p.says("", 0, "before", "variable", "get", "when")
}
