package main_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestQuickstart runs the commands of the README word for word, from the
// repository's root: only home and port are the test's own.
func TestQuickstart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, m := range shellBlock.FindAllSubmatch(readme, -1) {
		commands = append(commands, strings.TrimSpace(string(m[1])))
	}
	if len(commands) < 2 || !strings.HasSuffix(commands[0], " up") || !strings.Contains(commands[1], "deployment run") {
		t.Fatalf("the README's first two shell blocks should start flowlite and run a deployment; they are %q", commands)
	}
	p := newProgram(t, t.TempDir())
	up := exec.Command("sh", "-c", "exec "+commands[0])
	up.Dir, up.Env = "../..", p.env
	up.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run starts the program as its child
	up.Stdout, up.Stderr = &p.out, &p.out
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-up.Process.Pid, syscall.SIGTERM)
		_ = up.Wait()
	})
	p.eventually(3*time.Minute, "the sample flows are deployed", func() bool {
		var n int64
		return p.call("POST", "/deployments/count", map[string]any{}, &n) == nil && n >= 5
	})

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "sh", "-c", commands[1])
	run.Dir, run.Env = "../..", p.env
	var out, errs bytes.Buffer
	run.Stdout, run.Stderr = &out, &errs
	if err := run.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", commands[1], err, out.String(), errs.String())
	}
	if all := out.String() + errs.String(); !strings.Contains(all, "Completed") || !strings.Contains(all, "result 3") {
		t.Errorf("the run should end Completed with result 3; it printed\n%s", all)
	}
	var runs []core.FlowRun
	ofAdder := map[string]any{"flows": map[string]any{"name": map[string]any{"any_": []string{"adder"}}}}
	if err := p.call("POST", "/flow_runs/filter", ofAdder, &runs); err != nil {
		t.Fatal(err)
	}
	if len(runs) != 1 || runs[0].StateType != core.Completed {
		t.Errorf("the one run of adder should be COMPLETED: %+v", runs)
	}
}
