package flowlite_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/flowlite/flowlite"
)

// output is what a program prints without a server in its environment.
func output(t *testing.T, program func(*testing.T) string, args ...string) (stdout, stderr string) {
	t.Helper()
	bin := program(t)
	t.Setenv("FLOWLITE_API_URL", "")
	var out, errs bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // it may fail; what it prints says so
	return out.String(), errs.String()
}

// A flow binary that knows no server says how to name one.
func TestProgramWithoutServerSaysWhatToDo(t *testing.T) {
	for _, command := range []string{"run inner", "deploy", "serve"} {
		_, said := output(t, flowBinary, strings.Fields(command)...)
		if !strings.Contains(said, "FLOWLITE_API_URL") || !strings.Contains(said, "flowlite up") {
			t.Errorf("%s: the error does not say what to do: %s", command, said)
		}
	}
}

// A program runs flows where its context says, and nowhere without: also one that
// imports runtime/embed, and one whose environment names a server.
func TestProgramRunsNowhereUnlessToldWhere(t *testing.T) {
	t.Setenv("FLOWLITE_API_URL", "http://127.0.0.1:1/api")
	for _, verb := range []struct {
		name string
		call func(context.Context) error
	}{
		{"Run", func(ctx context.Context) error { _, err := quick().Run(ctx, nothing{}); return err }},
		{"Submit", func(ctx context.Context) error { _, err := quick().Submit(ctx, nothing{}).Get(ctx); return err }},
		{"Deploy", func(ctx context.Context) error { return quick().Deploy(ctx, flowlite.Deployment{}) }},
		{"Serve", func(ctx context.Context) error { return quick().Serve(ctx) }},
		{"RunDeployment", func(ctx context.Context) error { _, err := flowlite.RunDeployment[int](ctx, "a/b", nil); return err }},
		{"Variable", func(ctx context.Context) error { _, err := flowlite.Variable[int](ctx, "x"); return err }},
		{"Secret", func(ctx context.Context) error { _, err := flowlite.Secret(ctx, "x"); return err }},
		{"Markdown", func(ctx context.Context) error { return flowlite.Markdown(ctx, "x", "y") }},
		{"Emit", func(ctx context.Context) error { return flowlite.Emit(ctx, "x", nil) }},
		{"RateLimit", func(ctx context.Context) error { return flowlite.RateLimit(ctx, "x") }},
	} {
		err := verb.call(t.Context())
		if !errors.Is(err, flowlite.ErrNotConnected) {
			t.Errorf("%s: %v", verb.name, err)
			continue
		}
		for _, way := range []string{"flowlite.Connect", "embed.New", "embed.InMemory"} {
			if !strings.Contains(err.Error(), way) {
				t.Errorf("the error of %s does not name %s: %v", verb.name, way, err)
			}
		}
	}
}

type nothing struct{}

func quick() *flowlite.Flow[nothing, int] {
	return flowlite.NewFlow("quick", func(context.Context, nothing) (int, error) { return 1, nil })
}

func TestProgramRunsInMemory(t *testing.T) {
	out, said := output(t, appBinary)
	lines := strings.Split(out, "\n")
	if len(lines) != 5 || !strings.Contains(lines[0], "embed.InMemory") || lines[1] != "here <nil>" || lines[2] != "<nil>" || !strings.Contains(lines[3], "stopping") {
		t.Errorf("the program printed %q", out)
	}
	if said != "" {
		t.Errorf("a library that is used as told says nothing: %q", said)
	}
}

func TestConnectRefusesWhatIsNoAddress(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:4200", "ftp://host/api", "http://host/api?x=1"} {
		if _, err := flowlite.Connect(url); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:4200/api") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
