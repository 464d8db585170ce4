package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// Each fault says what is wrong in the words of the command line, and ends with 2.
func TestUsageFaults(t *testing.T) {
	s, _, _ := stocked(t)
	s.says(t, 0, "Set v", "variable", "set", "v", "1")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"port 99999 does not exist", []string{"up", "--port", "99999"}},
		{"port 99999 does not exist", []string{"server", "start", "--port", "99999"}},
		{`the public URL "foo"`, []string{"server", "start", "--public-url", "foo"}},
		{`database "mysql://x" is not known`, []string{"server", "start", "--port", "-1", "--database", "mysql://x"}},
		{"--python: there is no Python interpreter /nope", []string{"up", "--python", "/nope"}},
		{"--python: there is no Python interpreter /nope", []string{"worker", "start", "-p", "dev", "--python", "/nope"}},
		{"--work-dir: there is no folder /nope", []string{"worker", "start", "-p", "dev", "--work-dir", "/nope"}},
		{"--limit is from 1 to 200", []string{"flow-run", "ls", "--limit", "-1"}},
		{"--limit is from 1 to 200", []string{"artifact", "inspect", "x", "--limit", "0"}},
		{"-1 is read as a flag", []string{"work-pool", "set-concurrency-limit", "dev", "-1"}},
		{`--rounds: must be a whole number, not "1.5"`, []string{"bench", "read", "--rounds", "1.5"}},
		{"error: --watch-timeout and --no-wait-paused belong to --watch", []string{"deployment", "run", "shop/order", "--watch-timeout", "5s"}},
		{"belong to --watch", []string{"flow-run", "retry", "first", "--no-wait-paused"}},
		{"[1] is not a JSON object", []string{"deployment", "run", "shop/order", "--params", "[1]"}},
		{`--param: "a" is not key=value`, []string{"deployment", "run", "shop/order", "-p", "a"}},
		{"cannot read @/nope: no such file", []string{"deployment", "run", "shop/order", "--params", "@/nope"}},
		{"cannot read /nope: no such file", []string{"automation", "create", "--from-file", "/nope"}},
		{"--yes", []string{"variable", "unset", "v"}},
		{"error: missing flags: --pool=STRING", []string{"worker", "start"}},
		{"error: missing flags: --from-file", []string{"block", "create", "x/y"}},
		{"-5 is read as a flag; put -- before it", []string{"variable", "set", "v", "-5"}},
	} {
		s.says(t, exitUsage, c.says, c.args...)
	}
	t.Setenv("FLOWLITE_PORT", "x")
	s.says(t, exitUsage, `FLOWLITE_PORT: must be a whole number, not "x"`, "up")
}

func TestNobodyThere(t *testing.T) {
	for _, args := range [][]string{{"flow", "ls"}, {"bench", "read"}, {"bench", "runs"}, {"logs", "x"}} {
		served{"http://127.0.0.1:1"}.says(t, exitUnreachable, "no server answers at http://127.0.0.1:1/api", args...)
		served{"127.0.0.1:1"}.says(t, exitUsage, `"127.0.0.1:1" is not the address of a server`, args...)
	}
}

func TestFiltersByFlow(t *testing.T) {
	s, _, _ := stocked(t)
	for _, list := range []string{"deployment", "flow-run"} {
		s.says(t, exitNotFound, "did you mean shop?", list, "ls", "--flow", "shpo")
		s.says(t, 0, "", list, "ls", "--flow", "shop")
	}
	s.says(t, 0, "starts: ", "deployment", "run", "shop/order", "--start-in", "10m")
	s.says(t, 0, "starts now: 2020-01-01T00:00:00Z has passed", "deployment", "run", "shop/order", "--start-at", "2020-01-01T00:00:00Z")
}

// A mistake in flowlite.yaml is said with its line, and in the file's own words.
func TestFileMistakes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "flowlite.yaml")
	for text, want := range map[string][]string{
		"# why\n\n\ndeployments:\n\n  - name: x\n    entrypont: f.go:F\n":                 {"line 7: unknown key entrypont", "did you mean entrypoint?"},
		"deployments:\n\n  - name: x\n    entrypoint: f.go:F\n    tags: 5\n":              {`line 5: "5" must be a list of texts`},
		"deployments:\n  - name: x\n    entrypoint: f.go:F\n    work_pool: default\n":     {`line 4: "default" must be a mapping, like {name: default}`},
		"deployments:\n  - name: x\n    entrypoint: f.go:F\n    work_pool: {nme: a}\n":    {"line 4: unknown key nme", "did you mean name?"},
		"deployments:\n  - name: x\n    entrypoint: f.go:F\n    paused: sometimes\n":      {`line 4: "sometimes" must be true or false`},
		"deployments:\n  - &d {<<: *d}\n":                                                 {""},
		"a: &a {name: x, entrypoint: f.go:F}\ndeployments:\n  - <<: *a\n    version: 2\n": {"line 1: unknown key a"},
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			served{"http://127.0.0.1:1"}.says(t, exitUsage, w, "deploy", "--all", "--config", name)
		}
	}
	ok := "definitions:\n  x: &x {entrypoint: f.go:F}\ndeployments:\n  - <<: *x\n    name: x\n"
	if err := os.WriteFile(name, []byte(ok), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := readDeployFile(name); err != nil || f.Deployments[0].Entrypoint != "f.go:F" {
		t.Errorf("%+v, %v", f, err)
	}
}

// A run that asks for input does not go on without it where nobody can be asked.
func TestMissingInput(t *testing.T) {
	a := &app{stdin: strings.NewReader("")}
	schema := core.JSON(`{"properties":{"approved":{"type":"boolean"},"note":{"type":"string"},"who":{"type":"string"}},"required":["approved","note"]}`)
	for _, c := range []struct {
		args []string
		hint string
	}{
		{nil, "flowlite flow-run resume RUN --approved VALUE --note VALUE"},
		{[]string{"--approved"}, "flowlite flow-run resume RUN --note VALUE"},
		{[]string{"--input", `{"approved":true}`}, "flowlite flow-run resume RUN --note VALUE"},
		{[]string{"--approved", "--note", "x"}, ""},
		{[]string{"--input", `{"approved":true,"note":null}`}, ""},
	} {
		_, err := a.resumeInput(c.args, schema)
		f, _ := errors.AsType[*failure](err)
		if (f == nil) != (c.hint == "") || f != nil && (f.hint != c.hint || f.code != exitUsage) {
			t.Errorf("%q: %+v", c.args, f)
		}
	}
}
