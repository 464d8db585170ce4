package main_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refused starts the program, which must end by itself and say each of why.
func (p *program) refused(why ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Env, cmd.SysProcAttr = p.env, p.as
	out, err := cmd.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 1 {
		p.t.Fatalf("it should end with exit code 1, not %v\n%s", err, out)
	}
	for _, w := range why {
		if !strings.Contains(string(out), w) {
			p.t.Errorf("it should say %q, it says\n%s", w, out)
		}
	}
}

// works shows that the program answers and writes.
func (p *program) works() {
	p.t.Helper()
	p.start()
	if err := p.call("POST", "/flows/", map[string]any{"name": "afterwards"}, nil); err != nil {
		p.t.Fatal(err)
	}
	p.kill(syscall.SIGTERM)
}

func TestPortInUse(t *testing.T) {
	first := newProgram(t, t.TempDir(), "--flows", t.TempDir())
	first.start()
	t.Cleanup(func() { first.kill(syscall.SIGKILL) })
	second := newProgram(t, t.TempDir(), "--flows", t.TempDir())
	second.at(first.port)
	second.refused("port "+first.port+" on 127.0.0.1 is in use", "--port")
	if err := first.call("GET", "/health", nil, nil); err != nil {
		t.Errorf("the first one was disturbed: %v", err)
	}
	first.kill(syscall.SIGTERM)
	second.works()
}

func TestSecondUpOnOneDatabase(t *testing.T) {
	home := t.TempDir()
	first := newProgram(t, home, "--flows", t.TempDir())
	first.start()
	t.Cleanup(func() { first.kill(syscall.SIGKILL) })
	second := newProgram(t, home, "--flows", t.TempDir())
	second.refused("in use by another flowlite process", fmt.Sprintf("pid %d", first.cmd.Process.Pid), "another database")
	if err := first.call("POST", "/flows/", map[string]any{"name": "undisturbed"}, nil); err != nil {
		t.Error(err)
	}
	first.kill(syscall.SIGKILL) // even so its lock is gone with it
	second.works()
}

func TestReadOnlyData(t *testing.T) {
	dir, err := os.MkdirTemp("", "flowlite-ro") // t.TempDir's parents shut out other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700); _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p := newProgram(t, filepath.Join(dir, "home"), "--flows", dir)
	if os.Geteuid() == 0 {
		// Permissions bind everybody but root.
		p.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := os.Chmod(filepath.Dir(p.args[0]), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	p.refused("cannot make the data directory", "permission denied", "FLOWLITE_HOME")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p.works()
	home := filepath.Join(dir, "home")
	if err := os.Chmod(home, 0o555); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "flowlite.db")
	for _, f := range []string{file, file + ".lock"} {
		if err := os.Chmod(f, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	p.refused("flowlite.db", "permission denied", "can be written")
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{file, file + ".lock"} {
		if err := os.Chmod(f, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.works()
}
