package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// alone is the program without an address on its command line.
func alone(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var o, e strings.Builder
	code = run(args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

type command struct {
	code int
	want string // in what is printed
	args string
}

func commands(t *testing.T, list []command) {
	t.Helper()
	for _, c := range list {
		code, stdout, stderr := alone(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%s: exit %d, want %d with %q\n%s%s", c.args, code, c.code, c.want, stdout, stderr)
		}
	}
}

func TestProfilesAndConfig(t *testing.T) {
	home := t.TempDir()
	t.Setenv("FLOWLITE_HOME", home)
	api := answering(t, 200, `[{"name":"of qa","value":1,"tags":[]}]`)
	other := answering(t, 200, `[{"name":"of prod","value":1,"tags":[]}]`)
	commands(t, []command{
		{0, "local\n", "profile ls -o name"},
		{exitUnreachable, "flowlite up", "variable ls --api-url http://127.0.0.1:1/api"},
		{0, "Created profile qa", "profile create qa"},
		{exitFailed, "already", "profile create qa"},
		{exitUsage, "letters", "profile create a/b"},
		{exitNotFound, "did you mean qa?", "profile use aq"},
		{0, "Using profile qa", "profile use qa"},
		{0, "Set FLOWLITE_API_URL", "config set FLOWLITE_API_URL=" + api},
		{0, "of qa", "variable ls"},
		{0, "Created profile prod", "profile create prod --from qa"},
		{0, "Set FLOWLITE_API_URL", "config set FLOWLITE_API_URL=" + other + " --profile prod"},
		{0, "of prod", "variable ls --profile prod"},
		{0, "of qa", "variable ls"},
		{0, "of prod", "variable ls --api-url " + other},
		{exitUsage, "there is no profile none", "variable ls --profile none"},
		{exitUsage, "FLOWLITE_API_URL", "config set PREFECT_API_URL=" + api},
		{exitUsage, "not a setting", "config set FLOWLITE_COLOUR=red"},
		{exitUsage, "in the environment", "config set FLOWLITE_HOME=/x"},
		{exitUsage, "is not the address of a server", "config set FLOWLITE_API_URL=nonsense"},
		{exitUsage, "one of", "config set FLOWLITE_LOG_LEVEL=loud"},
		{exitUsage, "FLOWLITE_PORT", "config set FLOWLITE_PORT=many"},
		{exitUsage, "NAME=VALUE", "config set FLOWLITE_PORT"},
		{0, "Set FLOWLITE_AUTH_STRING", "config set FLOWLITE_AUTH_STRING=me:hidden-word"},
		{0, "********", "config view"},
		{0, "hidden-word", "config view --show-secrets"},
		{0, "profile qa", "config view"},
		{0, "FLOWLITE_LOG_LEVEL", "config view --show-defaults"},
		{0, "********", "profile inspect qa -o json"},
		{0, "valid", "config validate"},
		{0, "Unset FLOWLITE_AUTH_STRING", "config unset FLOWLITE_AUTH_STRING"},
		{exitFailed, "is not set", "config unset FLOWLITE_AUTH_STRING"},
		{exitFailed, "in use", "profile delete qa -y"},
		{exitUsage, "--yes", "profile delete prod"},
		{0, "Deleted profile prod", "profile delete prod -y"},
		{0, "Renamed profile qa to staging", "profile rename qa staging"},
		{0, "of qa", "variable ls"},
	})
	if _, out, _ := alone(t, "config", "view"); strings.Contains(out, "hidden-word") || strings.Contains(out, "LOG_LEVEL") {
		t.Errorf("config view: %s", out)
	}
	st, err := os.Stat(filepath.Join(home, "profiles.yaml"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file with credentials: %v, %v", st, err)
	}

	// The environment goes before the profile, and a flag before both.
	t.Setenv("FLOWLITE_API_URL", other)
	commands(t, []command{{0, "of prod", "variable ls"}, {0, "of qa", "variable ls --api-url " + api}, {0, "environment", "config view"}})
	// Prefect's own address is no one of ours.
	t.Setenv("FLOWLITE_API_URL", "http://127.0.0.1:1/api")
	t.Setenv("PREFECT_API_URL", api)
	commands(t, []command{{exitUnreachable, "127.0.0.1:1", "variable ls"}})

	t.Setenv("FLOWLITE_API_URL", api)
	if err := os.WriteFile(filepath.Join(home, "profiles.yaml"), []byte("active: local\nprofiles: {local: {FLOWLITE_PORT: x, FLOWLITE_NONE: y}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	commands(t, []command{{exitFailed, "FLOWLITE_NONE is not a setting", "config validate"}, {exitFailed, "FLOWLITE_PORT", "config validate"}, {0, "of qa", "variable ls"}})
	if err := os.WriteFile(filepath.Join(home, "profiles.yaml"), []byte("active: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	commands(t, []command{{exitUsage, "profiles.yaml", "variable ls"}})
}
