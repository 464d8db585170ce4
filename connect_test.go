package flowlite_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/flowlite/flowlite"
)

// output is what a program prints without a server in its environment.
func output(t *testing.T, program func() (string, error), args ...string) (stdout, stderr string) {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FLOWLITE_API_URL", "")
	var out, errs bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // it may fail; what it prints says so
	return out.String(), errs.String()
}

// A program without runtime/embed cannot run a flow without a server, and is
// told what it can do.
func TestProgramWithoutServerSaysWhatToDo(t *testing.T) {
	_, said := output(t, flowBinary, "run", "inner", "-p", "n=1")
	for _, way := range []string{"FLOWLITE_API_URL", "flowlite up", "flowlite.Connect", "github.com/flowlite/flowlite/runtime/embed"} {
		if !strings.Contains(said, way) {
			t.Errorf("the error does not name %s: %s", way, said)
		}
	}
}

// A program with runtime/embed keeps its runs in memory, and warns of it once.
func TestProgramRunsInMemory(t *testing.T) {
	out, said := output(t, appBinary)
	if out != "here <nil>\nhere <nil>\n" {
		t.Errorf("the program printed %q", out)
	}
	if strings.Count(said, "kept in memory") != 1 || !strings.Contains(said, "WARN") {
		t.Errorf("that runs are kept in memory is to be said once, as a warning: %q", said)
	}
}

func TestConnectRefusesWhatIsNoAddress(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:4200", "ftp://host/api", "http://host/api?x=1"} {
		if _, err := flowlite.Connect(url); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:4200/api") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
