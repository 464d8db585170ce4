// Command migrate writes the migrations of both engines from one source.
//
// A source is written for PostgreSQL. The line "-- only postgres" or "-- only
// sqlite" begins what one engine alone gets as it is written, and "-- both" ends
// it. For SQLite the types of columns are translated, key columns are NOT NULL,
// and tables are STRICT and WITHOUT ROWID.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const header = "-- Generated from ../source by db/generate.sh. DO NOT EDIT.\n"

var engines = []string{"postgres", "sqlite"}

func main() {
	dir := os.Args[1] // with source/, postgres/ and sqlite/
	sources, err := filepath.Glob(filepath.Join(dir, "source", "*.sql"))
	if err != nil || len(sources) == 0 {
		fail(fmt.Errorf("no sources in %s: %w", dir, err))
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			fail(err)
		}
		for _, engine := range engines {
			out, err := translate(string(text), engine)
			if err != nil {
				fail(fmt.Errorf("%s: %w", source, err))
			}
			if err := os.WriteFile(filepath.Join(dir, engine, filepath.Base(source)), []byte(out), 0o644); err != nil {
				fail(err)
			}
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// translate is what engine gets of a source.
func translate(source, engine string) (string, error) {
	out := strings.Builder{}
	out.WriteString(header)
	only := ""
	for line := range strings.Lines(source) {
		switch mark := strings.TrimSpace(line); mark {
		case "-- only postgres", "-- only sqlite":
			only = strings.TrimPrefix(mark, "-- only ")
			continue
		case "-- both":
			if only == "" {
				return "", fmt.Errorf("%q ends no part of one engine", mark)
			}
			only = ""
			continue
		}
		switch {
		case only == engine, only == "" && engine == "postgres":
			out.WriteString(line)
		case only == "":
			out.WriteString(forSQLite(line))
		}
	}
	if only != "" {
		return "", fmt.Errorf("the part for %s does not end; write -- both", only)
	}
	return out.String(), nil
}

var sqliteTypes = strings.NewReplacer(
	"UUID", "BLOB", "TIMESTAMPTZ", "INTEGER", "JSONB", "TEXT", "BOOLEAN", "INTEGER", "BIGINT", "INTEGER",
	"DOUBLE PRECISION", "REAL", "BYTEA", "BLOB", "DEFAULT FALSE", "DEFAULT 0", "DEFAULT TRUE", "DEFAULT 1",
)

// column is the line of a column, up to its name and up to the end of its type.
var (
	column = regexp.MustCompile(`^(  |ALTER TABLE \w+ ADD COLUMN )([a-z]\w* )([A-Z].*)$`)
	keyed  = regexp.MustCompile(`^([A-Z]+) PRIMARY KEY`)
)

func forSQLite(line string) string {
	text, end := strings.CutSuffix(line, "\n")
	switch m := column.FindStringSubmatch(text); {
	case text == ");":
		text = ") STRICT, WITHOUT ROWID;"
	case m != nil:
		text = m[1] + m[2] + keyed.ReplaceAllString(sqliteTypes.Replace(m[3]), "$1 NOT NULL PRIMARY KEY")
	}
	if end {
		text += "\n"
	}
	return text
}
