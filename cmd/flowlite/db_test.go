package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

func TestDatabaseCommandsOfPostgres(t *testing.T) {
	for command, want := range map[string]string{"backup": "pg_dump", "restore": "pg_restore"} {
		code, stdout, stderr := call(t, "http://127.0.0.1:1/api", "db", command, "x.dump", "--database", "postgres://me:secret@db/flowlite")
		if code != exitFailed || !strings.Contains(stderr, want) || strings.Contains(stdout+stderr, "secret") {
			t.Errorf("%s: exit %d %s%s", command, code, stdout, stderr)
		}
	}
}

func TestDatabaseCopy(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("FLOWLITE_HOME", dir)
	from := "sqlite:" + filepath.Join(dir, "a.db")
	if err := db.Seed(t.Context(), from, db.SeedSize{FlowRuns: 40, TaskRuns: 80, Logs: 80, Events: 10, Days: 3}, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
	s := served{"http://127.0.0.1:1/api"}
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			to := e.URL(t)
			var rows []db.CopiedTable
			out := s.says(t, 0, "encryption.key", "db", "copy", "--from", from, "--to", to, "-o", "json")
			if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) < 30 {
				t.Fatalf("%v: %s", err, out)
			}
			for _, r := range rows {
				if r.Table == "flow_run" && r.Rows != 40 {
					t.Errorf("%+v", r)
				}
			}
			s.says(t, exitFailed, "not empty", "db", "copy", "--from", from, "--to", to)
			s.says(t, 0, "is up to date", "db", "upgrade", "--database", to)
		})
	}
	s.says(t, exitNotFound, "there is no database", "db", "copy", "--from", from+"x", "--to", from+"y")
	if _, err := os.Stat(filepath.Join(dir, "a.dbx")); err == nil {
		t.Error("the source was made")
	}
}

// Results are files beside a SQLite database and rows of a Postgres one.
func TestDatabaseCopyTakesResults(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue
		}
		home, back := t.TempDir(), t.TempDir()
		key, large := "run/task-1.json", strings.Repeat("x", 1<<20)
		from, files := "sqlite:"+filepath.Join(home, "a.db"), orchestrate.DirResults(filepath.Join(home, "results"))
		if err := db.Seed(t.Context(), from, db.SeedSize{FlowRuns: 1, Days: 1}, func(string, int, int) {}); err != nil {
			t.Fatal(err)
		}
		if err := files.Put(t.Context(), key, []byte(large)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, "results", "run", ".result-1"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := served{"http://127.0.0.1:1/api"}
		to := e.URL(t)
		s.says(t, 0, "encryption.key", "db", "copy", "--home", home, "--from", from, "--to", to)
		store, err := db.Open(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Results(store).Get(t.Context(), key)
		if err != nil || string(got) != large {
			t.Errorf("in Postgres: %d bytes, %v", len(got), err)
		}
		_ = store.Close()
		s.says(t, 0, "encryption.key", "db", "copy", "--home", back, "--from", to, "--to", "sqlite:"+filepath.Join(back, "b.db"))
		got, err = orchestrate.DirResults(filepath.Join(back, "results")).Get(t.Context(), key)
		if err != nil || string(got) != large {
			t.Errorf("beside SQLite: %d bytes, %v", len(got), err)
		}
		if all, _ := filepath.Glob(filepath.Join(back, "results", "run", "*")); len(all) != 1 {
			t.Errorf("files %v", all)
		}
	}
}

func TestRetentionFlags(t *testing.T) {
	for text, want := range map[string]string{"off": "-1ns", "0": "-1ns", "0s": "-1ns", "never": "-1ns", "30d": "720h0m0s", "12h": "12h0m0s", "a while": ""} {
		var k keep
		err := k.UnmarshalText([]byte(text))
		if got := (retainFlags{RetainRuns: k}).retention().Runs.String(); want == "" && err == nil || want != "" && (err != nil || got != want) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}
