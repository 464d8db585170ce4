package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// call runs the program against an API and returns what it said.
func call(t *testing.T, api string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(append(args, "--api-url", api), strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func answering(t *testing.T, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/api"
}

func TestExitCodes(t *testing.T) {
	down := httptest.NewServer(nil)
	down.Close()
	for _, c := range []struct {
		name, api string
		args      []string
		code      int
		says      string
	}{
		{"404", answering(t, 404, `{"detail":"Variable not found"}`), []string{"variable", "get", "x"}, 3, "no variable x"},
		{"409", answering(t, 409, `{"detail":"There is one."}`), []string{"work-pool", "create", "p", "-t", "process"}, 1, "there is a work pool p already"},
		{"500", answering(t, 500, `{"exception_message":"Internal Server Error"}`), []string{"flow", "ls"}, 1, "Internal Server Error"},
		{"down", down.URL + "/api", []string{"flow", "ls"}, 4, "flowlite up"},
		{"usage", "http://127.0.0.1:1/api", []string{"deployment", "lss"}, 2, `did you mean "ls"`},
		{"no terminal", "http://127.0.0.1:1/api", []string{"deployment", "delete", "a/b"}, 2, "--yes"},
		{"bad pair", answering(t, 200, `{}`), []string{"deployment", "run", "a/b", "-p", "x"}, 2, "key=value"},
	} {
		code, stdout, stderr := call(t, c.api, c.args...)
		if code != c.code || !strings.Contains(stderr, c.says) || stdout != "" {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", c.name, code, stdout, stderr)
		}
	}
}

func TestEmptyLists(t *testing.T) {
	api := answering(t, 200, `[]`)
	for _, group := range []string{"deployment", "flow", "flow-run", "work-pool", "work-queue", "variable", "secret", "block", "concurrency-limit", "gcl", "deployments", "flow-runs"} {
		code, stdout, _ := call(t, api, group, "ls", "-o", "json")
		if code != 0 || strings.TrimSpace(stdout) != "[]" {
			t.Errorf("%s ls: exit %d, %q", group, code, stdout)
		}
		for _, format := range []string{"auto", "name", "jsonl"} {
			if code, stdout, _ := call(t, api, group, "list", "-o", format); code != 0 || stdout != "" {
				t.Errorf("%s list -o %s: exit %d, %q", group, format, code, stdout)
			}
		}
	}
}

func TestListFormats(t *testing.T) {
	body := `[{"id":"01a20838-d9a3-7001-b011-fc4097cca33d","name":"x","value":{"b":1.50,"a":"é"},"tags":[]}]`
	api := answering(t, 200, body)
	_, asJSON, _ := call(t, api, "variable", "ls", "-o", "json")
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(asJSON)); err != nil || compact.String() != body {
		t.Errorf("json is not the API's own: %s, %v", asJSON, err)
	}
	for format, want := range map[string]string{"name": "x\n", "jsonl": strings.Trim(body, "[]") + "]}\n", "auto": "x\t"} {
		if format == "jsonl" {
			want = body[1:len(body)-1] + "\n"
		}
		_, got, _ := call(t, api, "variable", "ls", "-o", format)
		if !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") {
			t.Errorf("-o %s: %q, want %q", format, got, want)
		}
	}
	if _, got, _ := call(t, api, "variable", "ls", "-o", "yaml"); !strings.Contains(got, "b: 1.50") {
		t.Errorf("yaml: %s", got)
	}
}

func TestGlobalsFirst(t *testing.T) {
	got := strings.Join(globalsFirst(strings.Fields("flow-run resume abc --approved true -o json")), " ")
	if want := "-o json flow-run resume abc --approved true"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestPairs(t *testing.T) {
	var m core.Object
	if err := pairs("--param", &m, []string{"a=1", "b=x=y,z;w", "c=5"}, []byte(`{"properties":{"c":{"type":"string"}}}`)); err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(m); string(b) != `{"a":1,"b":"x=y,z;w","c":"5"}` {
		t.Errorf("%s", b)
	}
}
