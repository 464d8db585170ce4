package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The committed migrations are those of the sources, and there are no others.
func TestCommitted(t *testing.T) {
	const dir = "../../migrations"
	sources, err := filepath.Glob(dir + "/source/*.sql")
	if err != nil || len(sources) == 0 {
		t.Fatal(len(sources), err)
	}
	for _, engine := range engines {
		committed, _ := filepath.Glob(filepath.Join(dir, engine, "*.sql"))
		if len(committed) != len(sources) {
			t.Errorf("%s has %d migrations, and there are %d sources", engine, len(committed), len(sources))
		}
		for _, source := range sources {
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			want, err := translate(string(text), engine)
			if err != nil {
				t.Fatal(source, err)
			}
			got, err := os.ReadFile(filepath.Join(dir, engine, filepath.Base(source)))
			if err != nil || string(got) != want {
				t.Errorf("%s/%s is not that of its source (%v); run sh db/generate.sh", engine, filepath.Base(source), err)
			}
		}
	}
}

func TestTranslate(t *testing.T) {
	const source = `CREATE TABLE a (
  id UUID PRIMARY KEY,
  b_id UUID NOT NULL REFERENCES b (id),
  at TIMESTAMPTZ,
  ok BOOLEAN NOT NULL DEFAULT FALSE,
  uuid TEXT,
  PRIMARY KEY (id)
);
-- only sqlite
SELECT 'UUID';
-- only postgres
CREATE INDEX i ON a (id) INCLUDE (at);
-- both
ALTER TABLE a ADD COLUMN n BIGINT NOT NULL DEFAULT 0;
`
	for engine, want := range map[string]string{
		"sqlite": `CREATE TABLE a (
  id BLOB NOT NULL PRIMARY KEY,
  b_id BLOB NOT NULL REFERENCES b (id),
  at INTEGER,
  ok INTEGER NOT NULL DEFAULT 0,
  uuid TEXT,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
SELECT 'UUID';
ALTER TABLE a ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
`,
		"postgres": `CREATE TABLE a (
  id UUID PRIMARY KEY,
  b_id UUID NOT NULL REFERENCES b (id),
  at TIMESTAMPTZ,
  ok BOOLEAN NOT NULL DEFAULT FALSE,
  uuid TEXT,
  PRIMARY KEY (id)
);
CREATE INDEX i ON a (id) INCLUDE (at);
ALTER TABLE a ADD COLUMN n BIGINT NOT NULL DEFAULT 0;
`,
	} {
		if got, err := translate(source, engine); err != nil || got != header+want {
			t.Errorf("%s: %v\n%s", engine, err, got)
		}
	}
	for _, wrong := range []string{"-- only sqlite\nSELECT 1;\n", "-- both\n"} {
		if _, err := translate(wrong, "sqlite"); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}
