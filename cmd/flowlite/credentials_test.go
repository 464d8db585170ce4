package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestNoCredentialsAreShown: whatever command is given an address with a
// password, neither the terminal nor a script sees it.
func TestNoCredentialsAreShown(t *testing.T) {
	t.Setenv("FLOWLITE_HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir()) // no browser
	api := strings.Replace(answering(t, 200, `[]`), "http://", "http://u:hunter2@", 1)
	file := "sqlite:" + filepath.Join(t.TempDir(), "f.db")
	seen := 0
	for _, url := range []string{
		api, "http://u:hunter2@127.0.0.1:1/api", "http://hunter2@127.0.0.1:1", "http://u:hunter2/x@127.0.0.1:1", "http://u:hunter2 x@127.0.0.1",
		"http://u:hunter2@127.0.0.1:port", "http://127.0.0.1:1/?token=hunter2", "ftp://u:hunter2@127.0.0.1:1",
		"postgres://u:hunter2@127.0.0.1:1/x", "postgres://u:hunter2%zz@127.0.0.1:1/x", "redis://:hunter2/x@127.0.0.1:1",
	} {
		for _, args := range [][]string{
			{"config", "set", "FLOWLITE_API_URL=" + url},
			{"config", "set", "FLOWLITE_DATABASE_URL=" + url}, {"config", "set", "FLOWLITE_REDIS_URL=" + url},
			{"config", "set", "FLOWLITE_PUBLIC_URL=" + url},
			{"config", "view"}, {"config", "view", "-o", "json"}, {"profile", "ls"}, {"profile", "inspect", "local"},
			{"config", "unset", "FLOWLITE_API_URL", "FLOWLITE_DATABASE_URL", "FLOWLITE_REDIS_URL", "FLOWLITE_PUBLIC_URL"},
			{"variable", "ls", "--api-url", url}, {"version", "--api-url", url}, {"dashboard", "--api-url", url},
			{"server", "status", "--api-url", url},
			{"flow", "ls", "--api-url", url, "-o", "json"}, {"flow-run", "ls", "--api-url", url},
			{"import", "prefect", "--from", url, "--api-url", url},
			{"db", "copy", "--from", url, "--to", file}, {"db", "copy", "--from", file, "--to", url},
			{"db", "upgrade", "--database", url}, {"db", "check", "--database", url},
			{"server", "start", "--port", "-1", "--database", "postgres://127.0.0.1:1/x", "--redis", url},
			{"server", "start", "--port", "-1", "--database", "postgres://127.0.0.1:1/x", "--public-url", url},
		} {
			_, stdout, stderr := alone(t, args...)
			if strings.Contains(stdout+stderr, "hunter2") {
				t.Errorf("%s\n%s%s", strings.Join(args, " "), stdout, stderr)
			}
			if strings.Contains(stdout+stderr, "****") {
				seen++
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d outputs showed an address", seen)
	}
}
