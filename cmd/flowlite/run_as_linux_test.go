package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is another user than root.
var nobody = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}

// asked runs a flow that is a shell command and returns its log.
func (p *program) asked(dir, command string) string {
	p.t.Helper()
	var flow, d struct{ ID string }
	if err := p.call("POST", "/flows/", map[string]any{"name": "command"}, &flow); err != nil {
		p.t.Fatal(err)
	}
	err := p.call("POST", "/deployments/", map[string]any{"name": "c", "flow_id": flow.ID, "work_pool_name": "default",
		"enforce_parameter_schema": false, "job_variables": map[string]any{"command": command}}, &d)
	if err != nil {
		p.t.Fatal(err)
	}
	p.says(dir, 0, "", "deployment", "run", "command/c", "--watch")
	var logs []struct{ Message string }
	if err := p.call("POST", "/logs/filter", map[string]any{}, &logs); err != nil {
		p.t.Fatal(err)
	}
	all := ""
	for _, l := range logs {
		all += l.Message + "\n"
	}
	return all
}

// TestRunAs: flows of a worker of root run as another user, and read nothing of
// the server.
func TestRunAs(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes of other users")
	}
	base := t.TempDir()
	if err := os.Chmod(filepath.Dir(base), 0o755); err != nil { // or the other user could not enter it
		t.Fatal(err)
	}
	home, dir := filepath.Join(base, "home"), filepath.Join(base, "project")
	p := newProgram(t, home, "--run-as", "nobody")
	p.says(".", 0, "flows/hello.go", "init", dir)
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, p.env, &p.out, &p.out
	// A file that whoever starts the server had open, as descriptor 9.
	open, err := os.CreateTemp(base, "open")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if _, err := open.WriteAt([]byte("INHERITED"), 0); err != nil {
		t.Fatal(err)
	}
	p.cmd.ExtraFiles = slices.Repeat([]*os.File{open}, 7)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(syscall.SIGTERM) })
	p.eventually(2*time.Minute, "the flow of the project is deployed", func() bool {
		var n int64
		return p.call("POST", "/deployments/count", map[string]any{}, &n) == nil && n == 1
	})
	p.says(dir, 0, `result "Hello, world!"`, "deployment", "run", "hello/local", "--watch")
	log := p.asked(dir, fmt.Sprintf(`sh -c 'echo "user=$(id -un) home=$HOME groups=$(id -Gn)"; for f in %[1]s/encryption.key %[1]s/flowlite.db /proc/%[2]d/environ /proc/%[2]d/mem; do head -c 1 $f >/dev/null 2>&1 && echo "OPEN $f"; done; ls %[1]s >/dev/null 2>&1 && echo LISTED; for n in 5 6 7 8 9; do (cat <&$n) 2>/dev/null; done; echo checked'`, home, p.cmd.Process.Pid))
	if !strings.Contains(log, "user=nobody") || !strings.Contains(log, "checked") || strings.Contains(log, "OPEN") || strings.Contains(log, "LISTED") || strings.Contains(log, "INHERITED") || strings.Contains(log, "root") {
		t.Errorf("the command says\n%s", log)
	}
}

// TestRunAsRefusals: a server and a worker say before anything else why flows
// cannot run as a user. Neither needs a server for that.
func TestRunAsRefusals(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	root := os.Geteuid() == 0
	home, bin := t.TempDir(), t.TempDir()
	for _, d := range []string{filepath.Dir(home), bin} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := newProgram(t, home)
	if root { // the same program where the other user finds it
		program, err := os.ReadFile(p.args[0])
		if err != nil {
			t.Fatal(err)
		}
		p.args[0] = filepath.Join(bin, "flowlite")
		if err := os.WriteFile(p.args[0], program, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(home, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for _, start := range [][]string{{"up"}, {"worker", "start", "-p", "default"}} {
		args := func(user string) []string { return append(slices.Clip(start), "--run-as", user) }
		if root {
			p.says(".", 2, "there is no system user", args("no-such-user")...)
			p.says(".", 2, "pass another user", args("root")...)
			p.says(".", 2, "pass another user", args("0")...)
			p.as = nobody
		}
		p.says(bin, 2, "only root can run flows as", args("daemon")...)
		p.says(bin, 2, "only root can run flows as", args("nobody")...)
		p.as = nil
	}
}

// TestProcessIsHidden: flows of the same user do not read the credentials of their
// server from its environment or memory.
func TestProcessIsHidden(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes of other users")
	}
	home, bin := t.TempDir(), t.TempDir()
	for _, d := range []string{filepath.Dir(home), home, bin} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	p := newProgram(t, home, "--flows", "none")
	program, err := os.ReadFile(p.args[0])
	if err != nil {
		t.Fatal(err)
	}
	p.args[0] = filepath.Join(bin, "flowlite") // where the other user finds it
	if err := os.WriteFile(p.args[0], program, 0o755); err != nil {
		t.Fatal(err)
	}
	p.env, p.as = append(p.env, "HOME="+home, "MARK=of-the-server"), nobody
	t.Chdir(home)
	p.start()
	t.Cleanup(func() { p.kill(syscall.SIGTERM) })
	for _, file := range []string{"environ", "mem", "maps", "fd/0"} {
		cat := exec.Command("head", "-c", "1", fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
		cat.SysProcAttr = nobody
		if out, err := cat.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("ermission denied")) {
			t.Errorf("%s of the server is read by its user: %q, %v", file, out, err)
		}
	}
	if log := p.asked(home, fmt.Sprintf(`sh -c 'head -c 1 /proc/%d/environ && echo READ; head -c 1 /proc/$$/environ >/dev/null && echo own=1'`, p.cmd.Process.Pid)); strings.Contains(log, "READ") || !strings.Contains(log, "own=1") {
		t.Errorf("a flow says\n%s", log)
	}
}
