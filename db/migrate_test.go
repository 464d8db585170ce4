package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
)

var update = flag.Bool("update", false, "write testdata/migrations.sum")

func TestWorksWith(t *testing.T) {
	for text, want := range map[string]int{"CREATE TABLE x": 12, "-- About x.\n-- works with 10\nCREATE": 10, "-- works with 10 or so": 12, "": 12} {
		if got := worksWith(12, text); got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		files, err := fs.Glob(migrations, "migrations/"+engine+"/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatal(err)
		}
		for i, f := range files {
			text, _ := migrations.ReadFile(f)
			if old := worksWith(i+1, string(text)); old > i+1 || old < 1 {
				t.Errorf("%s works with %d", f, old)
			}
		}
	}
}

// A newer schema is refused, unless it says that it works with what this
// program knows.
func TestNewerSchema(t *testing.T) {
	ctx := t.Context()
	refused := func(url string) {
		t.Helper()
		s, err := Open(ctx, url)
		if err == nil {
			_ = s.Close()
		}
		if core.CodeOf(err) != core.EUnavailable || !strings.Contains(err.Error(), "start a newer flowlite") {
			t.Errorf("a newer schema: %v", err)
		}
	}
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			url := e.URL(t)
			s, err := Open(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			facts, err := s.Facts(ctx)
			if err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			at := facts.Version
			if e.Name == "sqlite" { // has one server, which need not share it
				raw, err := sql.Open("sqlite", filepath.Clean(strings.TrimPrefix(url, "sqlite:")))
				if err != nil {
					t.Fatal(err)
				}
				defer raw.Close()
				if _, err := raw.Exec("PRAGMA user_version = 999"); err != nil {
					t.Fatal(err)
				}
				refused(url)
				return
			}
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			add := func(v, worksWith int) {
				t.Helper()
				if _, err := conn.Exec(ctx, queries.AddSchemaVersion, v, worksWith); err != nil {
					t.Fatal(err)
				}
			}
			add(at+1, at)
			if s, err = Open(ctx, url); err != nil {
				t.Fatal("a schema that works with this program:", err)
			}
			_ = s.Close()
			add(at+2, at+1)
			refused(url)
		})
	}
}

// Tags that were there before they had a time, and those that an older server
// writes beside a newer one, are found by time.
func TestTagsOfOlderVersions(t *testing.T) {
	ctx := t.Context()
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			url := e.URL(t)
			old := openVersion(t, e.Name, url, 12)
			flow, before, beside := core.NewID(), core.NewID(), core.NewID()
			old("INSERT INTO flow (id, created, updated, name, tags, labels) VALUES ($1, $2, $2, 'f', '[]', '{}')", flow, core.Now())
			run := func(id core.UUID, name string, due any) {
				t.Helper()
				old("INSERT INTO flow_run (id, created, updated, name, flow_id, parameters, empirical_policy, tags, labels, state_type, state_name, run_count, expected_start_time, total_run_time, auto_scheduled, in_process_retry, recoveries)"+
					" VALUES ($1, $2, $2, $3, $4, '{}', '{}', '[\"x\"]', '{}', 'PENDING', 'Pending', 0, $5, 0, $6, $6, 0)", id, core.Time(2e15), name, flow, due, false)
				old("INSERT INTO flow_run_tag (tag, flow_run_id) VALUES ('x', $1) ON CONFLICT DO NOTHING", id)
			}
			run(before, "before", nil) // 0013 gives it the time at which it was made
			s, err := Open(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			want := []string{"before"}
			if e.Name == "postgres" {
				run(beside, "beside", core.Time(1e15))
				want = append(want, "beside")
			}
			for i, due := range []core.Time{2e15, 1e15}[:len(want)] {
				f := core.Filters{FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{All: []string{"x"}}, ExpectedStartTime: &core.TimeFilter{After: due, Before: due}}}
				runs, err := s.FlowRuns(ctx, f, core.Page{})
				if err != nil || len(runs) != 1 || runs[0].Name != want[i] {
					t.Errorf("%s: %v, %v", want[i], runs, err)
				}
				if n, err := s.CountFlowRunsUpTo(ctx, f, 10); err != nil || n != 1 {
					t.Errorf("%s: counted %d, %v", want[i], n, err)
				}
			}
		})
	}
}

// openVersion makes a database as the migrations up to v left it, and returns a
// way to write to it.
func openVersion(t *testing.T, engine, url string, v int) func(text string, args ...any) {
	t.Helper()
	var exec func(text string, args ...any) error
	ctx := t.Context()
	if engine == "sqlite" {
		raw, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = raw.Close() })
		exec = func(text string, args ...any) error { _, err := raw.ExecContext(ctx, text, args...); return err }
	} else {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		pgconfig.RegisterTypes(conn)
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		exec = func(text string, args ...any) error { _, err := conn.Exec(ctx, text, args...); return err }
	}
	do := func(text string, args ...any) {
		t.Helper()
		if err := exec(text, args...); err != nil {
			t.Fatalf("%v in %.200s", err, text)
		}
	}
	if engine == "postgres" {
		do(queries.MakeSchemaVersion)
		do(queries.WidenSchemaVersion)
	}
	files, err := fs.Glob(migrations, "migrations/"+engine+"/*.sql")
	if err != nil || len(files) < v {
		t.Fatal(err, len(files))
	}
	for i, f := range files[:v] {
		text, err := migrations.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		do(string(text))
		if engine == "postgres" {
			do(queries.AddSchemaVersion, i+1, worksWith(i+1, string(text)))
		} else {
			do(fmt.Sprintf("PRAGMA user_version = %d", i+1))
		}
	}
	return do
}

// What a migration does never changes once it is released: databases have run it.
// A new one adds its lines to the file (-update), and changes no other.
func TestMigrationsStay(t *testing.T) {
	const released = "testdata/migrations.sum"
	var sums strings.Builder
	for _, engine := range []string{"postgres", "sqlite"} {
		files, err := filepath.Glob("migrations/" + engine + "/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			for line := range strings.Lines(string(text)) {
				if strings.TrimSpace(line) != "" && (!strings.HasPrefix(line, "--") || strings.HasPrefix(line, "-- works with ")) {
					_, _ = io.WriteString(h, line)
				}
			}
			fmt.Fprintf(&sums, "%x %s/%s\n", h.Sum(nil), engine, filepath.Base(file))
		}
	}
	if *update {
		if err := os.WriteFile(released, []byte(sums.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(released)
	if err != nil {
		t.Fatal(err)
	}
	if sums.String() != string(want) {
		t.Errorf("the migrations are not those of %s; write a new migration in place of changing one:\n%s", released, sums.String())
	}
}
