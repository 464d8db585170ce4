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
	err := kong.Visit(parser(&c, "").Model, func(n kong.Visitable, next kong.Next) error {
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
		"up --port 4300 --flows ./x --database sqlite::memory:", "up -b",
		"init", "init shop --python", "init shop --replace .",
		"server start --host 0.0.0.0 --no-auth", "server start -b --no-services", "server stop --port 4300", "server stop --all",
		"server status --wait -t 5s", "server services ls", "server database reset -y", "server database upgrade -y",
		"up --database postgres://x --redis redis://y", "server start --roles api,loops", "worker start -p dev --api http://a/api,http://b/api",
		"db copy --from sqlite:a.db --to postgres://h/d", "db backup b.db -y", "db restore b.db --database sqlite:a.db --yes", "db check", "db upgrade --home h",
		"server start --retain-runs 30d --retain-events off --retain-logs 0",
		"worker start -p dev -n w -q a -q b -l 3 -t process", "worker start -p dev --work-queue a", "worker start -p dev --run-once", "worker ls -p dev",
		"deploy flows/adder.go:Adder -n adder-dev -p dev --interval 15m --param a=1 --tag x,y",
		"deploy f.go:F -n x -p p -q q -t a -t b --timezone UTC --rrule FREQ=DAILY --params {} -jv a=1 -jv b=2 -cl 3",
		"deploy --config flowlite.yaml --all --dry-run", "deploy --prefect-file prefect.yaml -n a -n b",
		"deployment run adder/adder-dev -p a=1 -p b=[1,2] --watch --watch-timeout 5m --start-in 1h -t x",
		"deployment run a/b --params @f.json --start-at 2030-01-01T00:00:00Z --flow-run-name n -jv x=1",
		"deployments list --flow adder --limit 3 -o name", "deployment inspect a/b", "deployment delete a/b c/d -y", "deployment delete --all -y",
		"deployment pause a/b", "deployments resume a/b c/d",
		"deployment schedule create a/b --interval 15m --replace -y", "deployment schedule create a/b --cron @daily --no-active --slug s",
		"deployment schedule ls a/b", "deployment schedule pause a/b 1", "deployment schedule resume a/b 1", "deployment schedule delete a/b 1 -y", "deployment schedule clear a/b -y",
		"flow ls", "flows list", "flow serve f.go:F -n x --cron @hourly --limit 2",
		"flow-run logs abc -f --level error", "flow-run logs abc --head 3", "flow-run logs abc -n 3 --reverse --since 1h", "flow-run logs abc --tail 2",
		"flow-runs ls --state Running,FAILED", "flow-run ls --flow-name a -t x --deployment a/b --future",
		"flow-run cancel a b c", "flow-run delete a b -y", "flow-run pause a", "flow-run inspect a", "flow-run execute", "flow-run execute a --exit-with-run",
		"flow-run why a", "flow-run result a", "flow-run watch a --no-wait-paused",
		"flow-run resume abc --approved true", "flow-run retry abc --fresh --watch", "flow-run retry a b",
		"task-run ls --flow-run a --state Cached", "task-runs list", "task-run inspect a", "task-run logs a",
		"logs --flow-run abc -f", "logs --task-run a", "logs --deployment a/b -n 5",
		"work-pool create --type process dev-pool", "work-pool create p -t process --paused --set-as-default --overwrite --base-job-template f",
		"work-pools ls", "work-pool inspect p", "work-pool pause p", "work-pool resume p", "work-pool update p --description x --concurrency-limit 3", "work-pool delete p -y",
		"work-pool set-concurrency-limit p 3", "work-pool clear-concurrency-limit p", "work-pool get-default-base-job-template --type process -f x", "work-pool preview p --hours 2",
		"work-pool clear-runs p --state late -y",
		"work-queue ls -p dev", "work-queues list", "work-queue create q -p dev -l 3 -q 2", "work-queue inspect q -p dev", "work-queue pause q", "work-queue resume q",
		"work-queue set-concurrency-limit q 3", "work-queue clear-concurrency-limit q", "work-queue preview q", "work-queue delete q -y",
		"variable set x 5 --overwrite", "variable get x", "variable inspect x", "variables list", "variable unset x",
		"secret set x --from-stdin", "secret ls", "secret unset x",
		"block ls", "block inspect a/b", "block create a/b --from-file f", "block delete a/b -y", "block type ls",
		"automation ls", "automation inspect a", "automation create --from-file f", "automation pause a", "automation enable a", "automations delete a -y",
		"concurrency-limit create t 3", "concurrency-limit ls", "concurrency-limit inspect t", "concurrency-limit reset t", "concurrency-limit delete t -y",
		"gcl ls", "gcl create a --limit 3", "global-concurrency-limit update a --limit 2", "gcl enable a", "gcl disable a", "gcl inspect a", "gcl delete a -y",
		"artifact ls --all", "artifacts list", "artifact inspect k --limit 2", "artifact delete k -y", "artifact delete --id 1 -y",
		"event stream --filter prefect.flow-run.*", "events list --resource x --since 7d --limit 60", "events emit a --resource b",
		"config set FLOWLITE_API_URL=http://h:1/api", "config unset FLOWLITE_API_URL", "config view --show-sources --show-defaults --hide-sources", "config validate",
		"profile ls", "profiles list", "profile create qa --from local", "profile use qa", "profile inspect", "profile rename a b", "profile delete a -y",
		"dashboard", "dashboard open", "completion zsh", "completion -c bash", "version -o json", "flow ls --profile qa",
	} {
		var c cli
		args := longFlags(strings.Fields(line))
		if _, err := parser(&c, groupOf(args)).Parse(args); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	var c cli
	if _, err := parser(&c, "").Parse([]string{"deploy", "f.go:F", "--cron", "0,30 * * * *"}); err != nil || len(c.Deploy.Cron) != 1 {
		t.Errorf("a cron with a comma became %q, %v", c.Deploy.Cron, err)
	}
}
