package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write testdata/help.golden anew")

// TestHelp keeps every command's help in one file, so that a change of the
// command line shows in review.
func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	var c cli
	var all bytes.Buffer
	err := kong.Visit(kong.Must(&c, kong.Name("flowlite")).Model, func(n kong.Visitable, next kong.Next) error {
		if node, ok := n.(*kong.Node); ok && node.Type == kong.CommandNode {
			var words []string
			for p := node; p.Type == kong.CommandNode; p = p.Parent {
				words = append([]string{p.Name}, words...)
			}
			all.WriteString("$ flowlite " + strings.Join(words, " ") + " --help\n")
			if code := run(append(words, "--help"), strings.NewReader(""), &all, &all); code != 0 {
				t.Errorf("%v: exit %d", words, code)
			}
			all.WriteString("\n")
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/help.golden"
	if *update {
		if err := os.WriteFile(file, all.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || all.String() != string(want) {
		t.Errorf("the help is not %s (%v); go test ./cmd/flowlite -run TestHelp -update, and look at the difference", file, err)
	}
}

func TestCommandsParse(t *testing.T) {
	for _, line := range []string{
		"up --port 4300 --flows ./x --database sqlite::memory:",
		"server start --host 0.0.0.0 --no-auth",
		"worker start -p dev -n w -q a -q b -l 3 -t process",
		"deploy flows/adder.go:Adder -n adder-dev -p dev --interval 15m --param a=1 --tag x,y",
		"deployment run adder/adder-dev -p a=1 -p b=[1,2] --watch --watch-timeout 5m --start-in 1h -t x",
		"deployments list --flow adder --limit 3 -o name",
		"flow-run logs abc -f --level error", "flow-runs ls --state Running,FAILED", "flow-run cancel a b c",
		"flow-run resume abc --approved true", "flow-run retry abc --fresh --watch",
		"logs --flow-run abc -f", "work-pool create --type process dev-pool", "work-queue ls -p dev",
		"variable set x 5 --overwrite", "version -o json",
	} {
		var c cli
		if _, err := kong.Must(&c, kong.Name("flowlite")).Parse(strings.Fields(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	var c cli
	if _, err := kong.Must(&c).Parse([]string{"deploy", "f.go:F", "--cron", "0,30 * * * *"}); err != nil || len(c.Deploy.Cron) != 1 {
		t.Errorf("a cron with a comma became %q, %v", c.Deploy.Cron, err)
	}
}
