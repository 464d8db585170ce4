package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

// serving is a server without a worker, for commands that talk to it.
func serving(t *testing.T) (api, home string) {
	t.Helper()
	home = t.TempDir()
	s, err := server.New(server.Config{Port: -1, Home: home, NoUI: true, NoLoops: true, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(t.Context()) })
	return s.APIURL(), home
}

// step is a command and what it must say.
type step struct {
	stdin string
	args  string
	code  int
	out   string // all of stdout; "…" at its end takes more
	err   string // a part of stderr
}

func walk(t *testing.T, api string, steps []step) {
	t.Helper()
	for _, s := range steps {
		var o, e bytes.Buffer
		code := run(append(strings.Fields(s.args), "--api-url", api), strings.NewReader(s.stdin), &o, &e)
		said := o.String()
		if part, more := strings.CutSuffix(s.out, "…"); more {
			if strings.HasPrefix(said, part) {
				said = s.out
			}
		}
		if code != s.code || said != s.out || !strings.Contains(e.String(), s.err) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", s.args, code, o.String(), e.String())
		}
	}
}

func TestSecretAndBlock(t *testing.T) {
	api, home := serving(t)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("{\"user\": \"me\", \"password\": \"hunter2\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TOKEN", "from the env")
	walk(t, api, []step{
		{"", "secret ls -o json", 0, "[]\n", ""},
		{"", "secret set api-key", 2, "", "--from-stdin"},
		{"", "secret set api-key s3cret", 2, "", "history"},
		{"", "secret set api-key --from-stdin", 2, "", "is empty"},
		{"s3cret\n", "secret set api-key --from-stdin", 0, "Set api-key\n", ""},
		{"other", "secret set api-key --from-stdin", 1, "", "--overwrite"},
		{"other", "secret set api-key --from-stdin --overwrite", 0, "Set api-key\n", ""},
		{"", "secret set login --json --from-file " + file, 0, "Set login\n", ""},
		{"{", "secret set bad --json --from-stdin", 2, "", "not JSON"},
		{"", "secret set token --from-env TOKEN", 0, "Set token\n", ""},
		{"", "secret set token --from-env NO_TOKEN", 2, "", "no NO_TOKEN in the environment"},
		{"", "secret set token --from-env TOKEN --from-file x", 2, "", "can't be used together"},
		{"x", "secret set Bad_Name --from-stdin", 1, "", "lowercase letters, numbers, and dashes"},
		{"", "secret ls -o name", 0, "api-key\nlogin\ntoken\n", ""},
		{"", "secrets list", 0, "api-key\t…", ""},
		{"", "block ls -o name", 0, "secret/api-key\nsecret/login\nsecret/token\n", ""},
		{`{"url": "http://127.0.0.1:1/hook", "headers": {"a": "b"}}`, "block create webhook/alerts --from-file -", 0, "Created webhook/alerts\n", ""},
		{`{"urls": "x"}`, "block create webhook/alarms --from-file -", 2, "", "did you mean url"},
		{`{}`, "block create secret/none --from-file -", 2, "", "need the field value"},
		{`[]`, "block create webhook/none --from-file -", 2, "", "not a JSON object"},
		{`{}`, "block create nope/x --from-file -", 3, "", "block type ls"},
		{`[]`, "block create webhook/x --from-file -", 2, "", "JSON object"},
		{"", "block ls -t webhook -o name", 0, "webhook/alerts\n", ""},
		{"", "block inspect webhook/nope", 3, "", "no block webhook/nope"},
		{"", "block inspect alerts", 2, "", "TYPE/NAME"},
		{"", "block type ls -o name", 0, "date-time\njson\nlocal-file-system\nnotification-url\nsecret\nslack-webhook\nwebhook\n", ""},
		{"", "block delete webhook/alerts", 2, "", "--yes"},
		{"", "block delete webhook/alerts --yes", 0, "Deleted webhook/alerts\n", ""},
		{"", "secret unset token", 2, "", "--yes"},
		{"", "secret delete token -y", 0, "Unset token\n", ""},
		{"", "secret unset token", 3, "", "no secret token"},
	})
	// Nothing prints a secret, and the database does not hold one.
	for _, args := range []string{"secret ls -o json", "block ls -o json", "block inspect secret/login", "block inspect secret/api-key -o json"} {
		_, stdout, stderr := call(t, api, strings.Fields(args)...)
		for _, word := range []string{"s3cret", "other", "hunter2", "from the env"} {
			if strings.Contains(stdout+stderr, word) {
				t.Errorf("%s shows %s: %s", args, word, stdout)
			}
		}
		if strings.Contains(args, "inspect") && !strings.Contains(stdout, "********") {
			t.Errorf("%s: %s", args, stdout)
		}
	}
	if _, err := os.Stat(filepath.Join(home, "encryption.key")); err != nil {
		t.Error(err)
	}
	files, _ := filepath.Glob(filepath.Join(home, "flowlite.db*"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"s3cret", "hunter2", "from the env"} {
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%s holds %s in the clear", f, word)
			}
		}
	}
	if len(files) == 0 {
		t.Error("no database was found")
	}
}

// TestSecretSetHidesTheValue: schemas of the type that somebody else registered later
// may show the value.
func TestSecretSetHidesTheValue(t *testing.T) {
	address, _ := serving(t)
	a := &app{ctx: t.Context(), api: newAPI(address, "")}
	kind, _, err := ask[*core.BlockType](a, "GET", "/block_types/slug/secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	open, _, err := ask[*core.BlockSchema](a, "POST", "/block_schemas/", map[string]any{"block_type_id": kind.ID, "fields": map[string]any{
		"title": "Secret", "type": "object", "properties": map[string]any{"value": map[string]any{"type": "string"}}, "block_type_slug": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ask[*core.BlockDocument](a, "POST", "/block_documents/", map[string]any{"name": "theirs", "data": map[string]any{"value": "bait"},
		"block_schema_id": open.ID, "block_type_id": kind.ID}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new", "theirs"} {
		walk(t, address, []step{{"hunter2-hunter2", "secret set " + name + " --from-stdin --overwrite", 0, "…", ""}})
		d, raw, err := ask[*core.BlockDocument](a, "GET", blockPath(core.SecretBlock, name), nil)
		if err != nil || d.BlockSchemaID == open.ID || strings.Contains(string(raw), "hunter2") {
			t.Errorf("%s is shown as %s, %v", name, raw, err)
		}
	}
}
