package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus/bustest"
)

// buildProgram returns the file of the program. Tests that need it are left out with
// -short.
func buildProgram(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts the program; left out with -short")
	}
	bin, err := programBuilt()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

var programBuilt = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(os.Getenv("FLOWLITE_TEST_BIN"), "flowlite") // TestMain removes the folder
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// program is a flowlite that a test starts, kills and starts again.
type program struct {
	t    *testing.T
	args []string
	env  []string
	as   *syscall.SysProcAttr
	port string
	api  string
	cmd  *exec.Cmd
	out  bytes.Buffer
}

// newProgram is a `flowlite up` on a free port.
func newProgram(t *testing.T, home string, args ...string) *program {
	t.Helper()
	return newCommand(t, home, append([]string{"up"}, args...)...)
}

func newCommand(t *testing.T, home string, args ...string) *program {
	t.Helper()
	p := &program{t: t, args: append([]string{buildProgram(t)}, args...), env: append(os.Environ(), "FLOWLITE_HOME="+home)}
	p.at(bustest.FreePort(t))
	return p
}

// at is where the program listens.
func (p *program) at(port string) {
	p.port, p.api = port, "http://127.0.0.1:"+port+"/api"
	p.env = append(p.env, "FLOWLITE_PORT="+port, "FLOWLITE_API_URL="+p.api)
}

func (p *program) launch() {
	p.t.Helper()
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Env, p.cmd.SysProcAttr = p.env, p.as
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// start returns when the server answers.
func (p *program) start() {
	p.t.Helper()
	p.launch()
	p.eventually(30*time.Second, "the server answers", func() bool {
		res, err := http.Get(p.api + "/health")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == 200
	})
}

func (p *program) kill(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig)
	_ = p.cmd.Wait()
	p.cmd = nil
}

// eventually asks again until the answer is yes; the deadline only bounds a failure.
func (p *program) eventually(limit time.Duration, what string, yes func() bool) {
	p.t.Helper()
	deadline, tick := time.After(limit), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("within %s it did not come true that %s\n%s", limit, what, p.out.String())
		}
	}
}

// call does not fail on a dead server: the test kills it.
func (p *program) call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, p.api+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// succeeds runs a command that ends by itself.
func (p *program) succeeds() {
	p.t.Helper()
	p.launch()
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("%v: %v\n%s", p.args[1:], err, p.out.String())
	}
	p.cmd = nil
}

// succeedsOn ends a command by a signal that it obeys.
func (p *program) succeedsOn(sig syscall.Signal) {
	p.t.Helper()
	_ = p.cmd.Process.Signal(sig)
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%v: %v\n%s", p.args[1:], err, p.out.String())
	}
	p.cmd = nil
}
