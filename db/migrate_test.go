package db

import (
	"context"
	"database/sql"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
)

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
