package python_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

func TestSourceOf(t *testing.T) {
	const setDir = `[{"prefect.deployments.steps.set_working_directory": {"directory": "/srv/flows"}}]`
	const clone = `[{"prefect.deployments.steps.git_clone": {"repository": "https://example.com/x.git"}}]`
	for _, tc := range []struct {
		name, path, pull, working, wantDir, wantEntry string
		storage                                       bool
	}{
		{name: "deployed from a folder", path: "/home/me", wantDir: "/home/me", wantEntry: "a.py:f"},
		{name: "relative path", path: "sub", wantDir: "/base/sub", wantEntry: "a.py:f"},
		{name: "relative path in a working directory", path: "sub", working: "/w", wantDir: "/w/sub", wantEntry: "a.py:f"},
		{name: "deployed by flowlite", path: ".", wantDir: "/base", wantEntry: "a.py:f"},
		{name: "deployed by flowlite, with a working directory", path: ".", working: "/w", wantDir: "/w", wantEntry: "a.py:f"},
		{name: "deployed by flowlite, with a relative working directory", path: ".", working: "w", wantDir: "/base/w", wantEntry: "a.py:f"},
		{name: "no path", wantDir: "/base", wantEntry: "a.py:f"},
		{name: "prefect deploy of local code", pull: setDir, wantDir: "/srv/flows", wantEntry: "a.py:f"},
		{name: "code to be fetched", pull: clone},
		{name: "code to be fetched into a folder", pull: clone, working: "/w", wantDir: "/w"},
		{name: "a directory from a template", pull: `[{"prefect.deployments.steps.set_working_directory": {"directory": "{{ clone.directory }}"}}]`},
		{name: "code in a storage block", storage: true},
		{name: "runs elsewhere than its code lies", path: "/home/me", working: "/w", wantDir: "/w", wantEntry: "/home/me/a.py:f"},
		{name: "runs where its code lies", path: "/home/me", working: "/home/me", wantDir: "/home/me", wantEntry: "a.py:f"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &core.Deployment{Entrypoint: core.Ptr("a.py:f"), PullSteps: core.JSON(tc.pull)}
			if tc.path != "" {
				d.Path = &tc.path
			}
			if tc.storage {
				d.StorageDocumentID = core.NewID()
			}
			if got := python.SourceOf(d, tc.working, "/base"); got.Dir != tc.wantDir || got.Entrypoint != tc.wantEntry {
				t.Errorf("got %+v, want %s in %q", got, tc.wantEntry, tc.wantDir)
			}
		})
	}
}

func TestInterpreter(t *testing.T) {
	t.Setenv("VIRTUAL_ENV", "")
	root := t.TempDir()
	put := func(p string, mode os.FileMode) string {
		p = filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	inPath := put("bin/python3", 0o755)
	t.Setenv("PATH", filepath.Join(root, "bin"))
	project := filepath.Join(root, "project", "flows")
	put("project/flows/a.py", 0o644)
	check := func(named, want string) {
		t.Helper()
		if got, err := python.Interpreter(project, project, named); err != nil || got != want {
			t.Errorf("%q: got %s %v, want %s", named, got, err, want)
		}
	}
	check("", inPath)
	put("project/.venv/bin/python", 0o755)
	check("", inPath) // a folder of that name is not yet a virtual environment
	put("project/.venv/pyvenv.cfg", 0o644)
	own := filepath.Join(root, "project/.venv/bin/python")
	check("", own)
	check("../.venv", own)
	check("../.venv/bin/python", own)
	check("python3", inPath)
	other := put("other/bin/python", 0o755)
	t.Setenv("VIRTUAL_ENV", filepath.Join(root, "other"))
	check("", other)
	for _, bad := range []string{"nowhere/python", "a.py", "."} {
		if got, err := python.Interpreter(project, project, bad); core.CodeOf(err) != core.EInvalid {
			t.Errorf("%q: got %s %v", bad, got, err)
		}
	}
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("PATH", "")
	if err := os.RemoveAll(filepath.Join(root, "project/.venv")); err != nil {
		t.Fatal(err)
	}
	if got, err := python.Interpreter(project, project, ""); core.CodeOf(err) != core.EInvalid {
		t.Errorf("found %s %v where there is none", got, err)
	}
}
