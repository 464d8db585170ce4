//go:build unix

package main_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// says runs a command that is to end with code and say want on either output.
func (p *program) says(dir string, code int, want string, args ...string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.args[0], args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, p.env, p.as
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		p.t.Fatalf("%v: %v", args, err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(stdout.String()+stderr.String(), want) {
		p.t.Errorf("%v: exit %d, want %d with %q\n%s%s", args, got, code, want, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// TestProject is a stranger's first hour: a project that init wrote runs.
func TestProject(t *testing.T) {
	p := newProgram(t, t.TempDir())
	dir := filepath.Join(t.TempDir(), "My Shop")
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p.says(".", 0, "flows/hello.go", "init", dir) // built here, so it takes the module from here
	p.says(".", 0, "flows/hello.go", "init", filepath.Join(t.TempDir(), "x"), "--replace", checkout)
	p.says(".", 1, "is there already", "init", dir)
	p.says(".", 2, "is not a checkout", "init", t.TempDir(), "--replace", t.TempDir())
	if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err != nil || !strings.HasPrefix(string(mod), "module my-shop\n") {
		t.Errorf("go.mod is %s, %v", mod, err)
	}
	p.cmd = exec.Command(p.args[0], "up")
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, p.env, &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(syscall.SIGTERM) })
	p.eventually(2*time.Minute, "the flow of the project is deployed", func() bool {
		var n int64
		return p.call("POST", "/deployments/count", map[string]any{}, &n) == nil && n == 1
	})
	p.says(dir, 0, `result "Hello, world!"`, "deployment", "run", "hello/local", "--watch")

	p.says(dir, 0, "create\thello/nightly", "deploy", "--all", "--dry-run")
	p.says(dir, 0, "Deployed hello/nightly to pool default", "deploy", "--all", "-t", "mine")
	p.says(dir, 0, "update\thello/nightly", "deploy", "--dry-run")
	p.says(dir, 0, `"mine"`, "deployment", "inspect", "hello/nightly", "-o", "json")
	p.says(dir, 0, `result "Hello, night shift!"`, "deployment", "run", "hello/nightly", "--watch")
	// What neither file nor flags say stays as somebody has changed it.
	p.says(dir, 0, "Created other", "work-pool", "create", "other", "-t", "process")
	p.says(dir, 0, "hello/moved\n", "deploy", "flows/hello.go:Hello", "-n", "moved", "-p", "other", "-t", "mine", "--cron", "0 9 * * *",
		"--param", "name=Ann", "--job-variable", "env={\"A\":\"1\"}", "-o", "name")
	before := p.says(dir, 0, "other", "deployment", "inspect", "hello/moved", "-o", "json")
	p.says(dir, 0, "hello/moved\n", "deploy", "flows/hello.go:Hello", "-n", "moved", "-o", "name")
	updated := regexp.MustCompile(`"(updated|last_polled)": "[^"]*"`)
	if after := p.says(dir, 0, "other", "deployment", "inspect", "hello/moved", "-o", "json"); updated.ReplaceAllString(after, "") != updated.ReplaceAllString(before, "") {
		t.Errorf("a deploy that says nothing changed\n%s to\n%s", before, after)
	}
	p.says(dir, 0, "hello/two\n", "deploy", "flows/hello.go:Hello", "-n", "two", "-cl", "2", "--collision-strategy", "CANCEL_NEW", "-o", "name")
	p.says(dir, 0, "CANCEL_NEW", "deployment", "inspect", "hello/two", "-o", "json")
	p.says(dir, 2, "did you mean", "deploy", "flows/hello.go:Hello", "--param", "nme=x")
	p.says(dir, 3, "did you mean nightly?", "deploy", "-n", "nightl")
	p.env = append(p.env, "FLOWLITE_DEFAULT_WORK_POOL=gone") // for what names no pool; the file does
	p.says(dir, 0, "Deployed hello/nightly to pool default", "deploy", "--all")
	p.says(dir, 3, "FLOWLITE_DEFAULT_WORK_POOL names it", "deploy", "flows/hello.go:Hello", "-n", "three")
	p.env = p.env[:len(p.env)-1]
	p.says(dir, 3, "did you mean default?", "deploy", "--all", "-p", "defalt")
	p.says(dir, 2, "either", "deploy", "flows/hello.go:Hello", "--all")
	p.says(t.TempDir(), 2, "flowlite init", "deploy", "--all")
	if err := os.WriteFile(filepath.Join(dir, "odd.yaml"), []byte("deployments:\n- name: x\n  entrypoint: a.go:A\n  shedule: {cron: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.says(dir, 2, "shedule", "deploy", "--all", "--config", "odd.yaml")
	if err := os.WriteFile(filepath.Join(dir, "env.yaml"), []byte("deployments:\n- name: '{{ $STAGE }}'\n  entrypoint: flows/hello.go:Hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.says(dir, 2, "there is no STAGE in the environment", "deploy", "--config", "env.yaml", "--dry-run")
	p.env = append(p.env, "STAGE=qa")
	p.says(dir, 0, "hello/qa\n", "deploy", "--config", "env.yaml", "--dry-run", "-o", "name")

	served := exec.Command(p.args[0], "flow", "serve", "flows/hello.go:Hello", "--interval", "1h")
	served.Dir, served.Env = dir, p.env
	var said bytes.Buffer
	served.Stdout, served.Stderr = &said, &said
	if err := served.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = served.Process.Kill() })
	p.eventually(time.Minute, "the served flow is deployed", func() bool {
		var n int64
		return p.call("POST", "/deployments/count", map[string]any{"deployments": map[string]any{"name": map[string]any{"any_": []string{"serve"}}}}, &n) == nil && n == 1
	})
	p.says(dir, 0, `result "Hello, server!"`, "deployment", "run", "hello/serve", "-p", "name=server", "--watch")
	_ = served.Process.Signal(os.Interrupt)
	if err := served.Wait(); err != nil || !strings.Contains(said.String(), "are paused") {
		t.Errorf("serve ended with %v: %s", err, said.String())
	}

	// Nobody serves this one now: it is executed here, whatever pool it waits in.
	p.says(dir, 0, "Created alone", "deployment", "run", "hello/serve", "--flow-run-name", "alone")
	p.says(dir, 0, "pool serve-hello", "flow-run", "why", "alone")
	p.says(dir, 0, `result "Hello, world!"`, "flow-run", "execute", "alone", "--exit-with-run")
	p.says(dir, 1, "has finished", "flow-run", "execute", "alone")
	p.says(dir, 0, "Created once", "deployment", "run", "hello/serve", "--flow-run-name", "once")
	p.says(dir, 0, "executed 1 run of pool serve-hello", "worker", "start", "-p", "serve-hello", "--run-once")
	p.says(dir, 0, "Completed", "flow-run", "inspect", "once")
	p.says(dir, 0, "executed 0 runs", "worker", "start", "-p", "serve-hello", "--run-once")
	p.says(dir, 3, "no flow run", "flow-run", "execute", "nobody")
	p.says(dir, 2, "FLOWLITE_FLOW_RUN_ID", "flow-run", "execute")
}

func TestBackground(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	home := t.TempDir()
	p := newCommand(t, home)
	t.Cleanup(func() { _ = exec.Command(p.args[0], "server", "stop", "--all", "--home", home).Run() })
	p.says(".", 4, "server start -b", "server", "status")
	p.says(".", 4, "no server answers", "server", "status", "--wait", "-t", "200ms")
	p.says(".", 3, "no server", "server", "stop")
	p.says(".", 0, p.port, "server", "start", "-b")
	p.says(".", 0, "sqlite", "server", "status", "--wait")
	p.says(".", 0, "schedule", "server", "services", "ls")
	p.says(".", 1, "runs at", "server", "start", "-b")
	p.says(".", 1, "runs at", "server", "database", "reset", "-y")
	p.says(".", 1, "in use", "server", "start", "-b", "--port=-1") // of the same database
	p.says(".", 0, "Set x", "variable", "set", "x", "1")
	p.says(".", 3, "there are some on "+p.port, "server", "stop", "--port", "1")
	p.says(".", 0, "Stopped", "server", "stop")
	p.says(".", 4, "no server answers", "variable", "get", "x")
	p.says(".", 2, "--yes", "server", "database", "reset")
	p.says(".", 0, "Reset", "server", "database", "reset", "-y")
	p.says(".", 0, "up to date", "server", "database", "upgrade", "-y")
	p.says(".", 0, p.port, "server", "start", "-b")
	p.says(".", 3, "no variable x", "variable", "get", "x")
	p.says(".", 0, "Stopped", "server", "stop", "--all", "-o", "auto")
}

// The shell asks by COMP_LINE; the program answers with words alone.
func TestCompletion(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, _ := gated(t)
	bin := buildProgram(t)
	complete := func(api, line string) (string, time.Duration) {
		cmd := exec.Command(bin)
		cmd.Env = append(os.Environ(), "COMP_LINE="+line, "FLOWLITE_API_URL="+api)
		began := time.Now()
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		return string(out), time.Since(began)
	}
	if out, err := exec.Command(bin, "secret", "set", "token", "--from-env", "PATH", "--api-url", api).CombinedOutput(); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	for line, want := range map[string]string{
		"flowlite dep":                         "deployment",
		"flowlite deployment ":                 "inspect",
		"flowlite deployment run ga":           "gates/local",
		"flowlite deployment run --wat":        "--watch",
		"flowlite work-pool inspect ":          "default",
		"flowlite deploy f.go:F --pool ":       "default",
		"flowlite config unset FLOWLITE_AP":    "FLOWLITE_API_URL",
		"flowlite profile use ":                "local",
		"flowlite deployments run ga":          "gates/local",
		"flowlite -o json flow-runs ins":       "inspect",
		"flowlite --color never flow-runs ins": "inspect",
		"flowlite --profile flows deploy --po": "--pool",
		"flowlite gcl cre":                     "create",
		"flowlite flow-run ls --state Ru":      "Running",
		"flowlite config set FLOWLITE_AP":      "FLOWLITE_API_URL=",
		"flowlite secrets unset ":              "token",
		"flowlite block inspect ":              "secret/token",
		"flowlite work-queue inspect ":         "default",
	} {
		if out, _ := complete(api, line); !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(want) + `$`).MatchString(out) {
			t.Errorf("%q completes to %q, not %s", line, out, want)
		}
	}
	// Nobody waits for a server that does not answer.
	if out, took := complete("http://192.0.2.1:4200/api", "flowlite deployment run "); out != "" || took > 5*time.Second {
		t.Errorf("without a server: %q after %s", out, took)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, err := exec.Command(bin, "completion", "-c", shell).Output()
		if err != nil || !strings.Contains(string(out), bin) {
			t.Errorf("%s: %s, %v", shell, out, err)
		}
	}
}

// BenchmarkStart is the start of the program, with and beside that of one that does nothing.
func BenchmarkStart(b *testing.B) {
	bin := buildProgram(b)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if out, err := exec.Command("go", "build", "-o", empty, filepath.Join(dir, "main.go")).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, c := range []struct {
		name string
		args []string
	}{{"empty", []string{empty}}, {"version", []string{bin, "version"}}, {"help", []string{bin, "--help"}}, {"profiles", []string{bin, "profile", "ls"}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := exec.Command(c.args[0], c.args[1:]...).Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
