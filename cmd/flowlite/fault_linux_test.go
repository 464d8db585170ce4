package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDiskFull fills the disk under a running program. Where no small disk can
// be mounted the size of its files is limited instead.
func TestDiskFull(t *testing.T) {
	home := t.TempDir()
	d := smallDisk(t, home)
	p := newProgram(t, home, "--flows", t.TempDir())
	p.start()
	t.Cleanup(func() { p.kill(syscall.SIGKILL) })
	d.fill(t, p)
	value := strings.Repeat("x", 4900)
	refused := error(nil)
	for i := 0; refused == nil && i < 2000; i++ {
		refused = p.call("POST", "/variables/", map[string]any{"name": fmt.Sprintf("v%d", i), "value": value}, nil)
	}
	if refused == nil || !strings.Contains(refused.Error(), " 503 ") || !strings.Contains(refused.Error(), d.says) {
		t.Fatalf("a write to the full disk: %v; want a 503 that says %q", refused, d.says)
	}
	// What is too small for a variable may still take what /ready writes, a few times.
	p.eventually(30*time.Second, "/ready says so", func() bool {
		err := p.call("GET", "/ready", nil, nil)
		return err != nil && strings.Contains(err.Error(), " 503 ") && strings.Contains(err.Error(), d.says)
	})
	var before int64
	if err := p.call("POST", "/variables/count", map[string]any{}, &before); err != nil {
		t.Fatalf("reading should still work: %v", err)
	}
	d.empty(t, p)
	p.eventually(30*time.Second, "it writes again once there is room", func() bool {
		return p.call("POST", "/variables/", map[string]any{"name": "room", "value": 1}, nil) == nil
	})
	p.eventually(30*time.Second, "it is ready again", func() bool { return p.call("GET", "/ready", nil, nil) == nil })
	p.kill(syscall.SIGKILL)
	p.start()
	var after int64
	if err := p.call("POST", "/variables/count", map[string]any{}, &after); err != nil || after != before+1 {
		t.Errorf("%d variables were acknowledged, %d are there, %v", before+1, after, err)
	}
	p.kill(syscall.SIGTERM)
}

// A program that starts on a full disk says so, and starts once there is room.
func TestStartOnFullDisk(t *testing.T) {
	home := t.TempDir()
	d := smallDisk(t, home)
	p := newProgram(t, home, "--flows", t.TempDir())
	args := p.args
	if d.full == "" {
		p.args = append([]string{"prlimit", "--fsize=100000:"}, args...)
		p.refused("database "+home, "disk")
		p.args = args
	} else {
		d.fill(t, p)
		p.refused("database "+home, "disk is full")
		d.empty(t, p)
	}
	p.works()
}

type disk struct {
	full string // the file that fills it; none where the size of files is limited
	says string
}

func smallDisk(t *testing.T, dir string) *disk {
	t.Helper()
	if os.Geteuid() == 0 && syscall.Mount("flowlite-test", dir, "tmpfs", 0, "size=6m") == nil {
		t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
		return &disk{full: filepath.Join(dir, "ballast"), says: "disk is full"}
	}
	return &disk{says: "the database cannot answer"}
}

func (d *disk) fill(t *testing.T, p *program) {
	t.Helper()
	if d.full == "" {
		setFileLimit(t, p.cmd.Process.Pid, 4<<20)
		return
	}
	f, err := os.Create(d.full)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func (d *disk) empty(t *testing.T, p *program) {
	t.Helper()
	if d.full == "" {
		setFileLimit(t, p.cmd.Process.Pid, 1<<40)
		return
	}
	if err := os.Remove(d.full); err != nil {
		t.Fatal(err)
	}
}

func setFileLimit(t *testing.T, pid int, bytes uint64) {
	t.Helper()
	out, err := exec.Command("prlimit", "--pid", strconv.Itoa(pid), "--fsize="+strconv.FormatUint(bytes, 10)+":").CombinedOutput()
	if err != nil {
		t.Fatalf("prlimit: %v %s", err, out)
	}
}
