package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
)

// A backup of a server that runs, in a process of its own, is what it held.
func TestBackupAndRestore(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
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

// A copy that is killed leaves the target empty: it can be made again.
func TestCopyKilled(t *testing.T) {
	p := newCommand(t, t.TempDir())
	from, to := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	if err := db.Seed(t.Context(), from, db.SeedSize{FlowRuns: 3000, TaskRuns: 9000, Logs: 9000, Events: 100, Days: 3}, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
	args := []string{"db", "copy", "--from", "sqlite:" + from, "--to", "sqlite:" + to}
	cmd := exec.Command(p.args[0], args...)
	cmd.Env = p.env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.eventually(30*time.Second, "the target is written", func() bool {
		wal, _ := os.Stat(to + "-wal")
		journal, err := os.Stat(to + "-journal")
		return err == nil && wal == nil && journal.Size() > 0
	})
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); err == nil {
		t.Fatal("the copy had ended")
	}
	p.says("", 0, "counts and checksums are the same", args...)
}
