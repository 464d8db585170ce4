// Package queries holds what SQL is written in: the .sql files that sqlc
// reads, and here the part of a list's SQL that depends on its filter.
package queries

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Dialect is what differs between the engines.
type Dialect int

const (
	SQLite Dialect = iota
	Postgres
)

// Query is SQL text with its arguments.
type Query struct {
	SQL  string
	Args []any
	// Varies says that one plan is not good for all arguments: a tag may be
	// rare or common.
	Varies bool
	// Err is set instead if the filter is more than an engine takes.
	Err error
}

// builder writes conditions. A condition is always a whole term: it can be
// negated, and joined by AND or OR.
type builder struct {
	d    Dialect
	b    strings.Builder
	args []any
	// byEnd says that the newest ends are looked for: without statistics SQLite
	// would rather read and sort every run that has the states asked for.
	byEnd bool
	// scan says that the list is read in its order, by an index that has the names,
	// or among few runs.
	scan    bool
	listing bool // not counting
	rare    Rare
	due     *core.TimeFilter // see Due
	varies  bool
	err     error
}

func (b *builder) write(parts ...string) {
	for _, p := range parts {
		b.b.WriteString(p)
	}
}

func (b *builder) arg(v any) {
	b.args = append(b.args, v)
	if b.d == Postgres {
		b.write("$")
	} else {
		b.write("?")
	}
	b.write(strconv.Itoa(len(b.args)))
}

// MaxArgs is how many values a statement may have: SQLite takes 32,766.
const MaxArgs = 30_000

const (
	maxTerms = 500 // of one list; SQLite's expressions have 1,000 levels, and each OR is one
	maxAll   = 60  // tags that must all be there; PostgreSQL plans 150 of them for 15 s
)

// atMost refuses the filter if it has a list of more than most.
func (b *builder) atMost(most, n int) {
	if n > most && b.err == nil {
		b.err = core.Errorf(
			core.EInvalid,
			"the filter has a list of %d conditions; at most %d are allowed: send several requests with fewer",
			n,
			most,
		)
	}
}

func (b *builder) query() Query {
	return Query{SQL: b.b.String(), Args: b.args, Varies: b.varies, Err: b.err}
}

// term is one condition, written when its filter is joined.
type term func()

// all joins terms by op; no terms are true.
func (b *builder) all(op core.Operator, terms []term) {
	if len(terms) == 0 {
		b.write("1=1")
		return
	}
	b.atMost(maxTerms, len(terms))
	sep := " AND "
	if op == core.Or {
		sep = " OR "
	}
	b.write("(")
	for i, t := range terms {
		if i > 0 {
			b.write(sep)
		}
		t()
	}
	b.write(")")
}

func in[T any](b *builder, not bool, col string, vs []T) {
	if len(vs) == 0 {
		if not {
			b.write("1=1")
		} else {
			b.write("1=0")
		}
		return
	}
	b.write(col)
	if not {
		b.write(" NOT")
	}
	b.write(" IN (")
	for i, v := range vs {
		if i > 0 {
			b.write(",")
		}
		b.arg(v)
	}
	b.write(")")
}

// part is text to look for in a column, whatever the case of its letters.
type part struct {
	text string
	wild bool // % and _ are wildcards, as in like_ of Prefect's clients; there is no escape character
}

var literal = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

func (b *builder) like(col string, v part) {
	pattern, escape := v.text, ""
	if !v.wild {
		pattern, escape = literal.Replace(v.text), `\`
	}
	if b.d == Postgres {
		b.write("(", col, ")")
		if ascii(v.text) { // the same rows as by the locale's rules, in half the time
			b.write(` COLLATE "C"`)
		}
		b.write(" ILIKE ")
		b.arg("%" + pattern + "%")
		b.write(" ESCAPE '", escape, "'")
		return
	}
	b.write(col, " LIKE ")
	b.arg("%" + pattern + "%")
	if escape != "" {
		b.write(" ESCAPE '", escape, "'")
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] > 0x7f {
			return false
		}
	}
	return true
}

// prefixes: the column starts with one of vs.
func (b *builder) prefixes(col string, vs []string) {
	b.atMost(maxTerms, len(vs))
	b.write("(1=0")
	for _, v := range vs {
		b.write(" OR substr(", col, ", 1, ", strconv.Itoa(len([]rune(v))), ") = ")
		b.arg(v)
	}
	b.write(")")
}

func (b *builder) null(col string, is bool) {
	b.write(col)
	if is {
		b.write(" IS NULL")
	} else {
		b.write(" IS NOT NULL")
	}
}

func (b *builder) cmp(col, op string, v any) {
	b.write(col, op)
	b.arg(v)
}

// text reads a JSON column as text, for search.
func (b *builder) text(col string) string {
	if b.d == Postgres {
		return "CAST(" + col + " AS TEXT)"
	}
	return col
}

// micros reads a time column as microseconds.
func (b *builder) micros(col string) string {
	if b.d == Postgres {
		// As a double, which holds microseconds until the year 2255; EXTRACT's
		// numeric costs several times as much.
		return "CAST(date_part('epoch', " + col + ") * 1000000 AS BIGINT)"
	}
	return col
}

// label reads one key of a JSON object of strings.
func (b *builder) label(col, key string) {
	if b.d == Postgres {
		b.write("(", col, " ->> CAST(")
		b.arg(key)
		b.write(" AS TEXT))")
		return
	}
	b.write("json_extract(", col, ", ")
	name, _ := json.Marshal(core.CleanText(key)) // the escapes of a path are those of JSON
	b.arg("$." + string(name))
	b.write(")")
}

// key is the text under a key that is written in the program; label takes any.
func (b *builder) key(col, key string) string {
	if b.d == Postgres {
		return "(" + col + " ->> '" + key + "')"
	}
	return "json_extract(" + col + ", '$.\"" + key + "\"')"
}

// elements are the rows er, with their value, of a JSON array.
func (b *builder) elements(col string) string {
	if b.d == Postgres {
		return "jsonb_array_elements(" + col + ") AS er (value)"
	}
	return "json_each(" + col + ") AS er"
}

// hasTag: the JSON array column holds the tag.
func (b *builder) hasTag(col, tag string) {
	if b.d == Postgres {
		b.write(col, " @> jsonb_build_array(CAST(")
		b.arg(tag)
		b.write(" AS TEXT))")
		return
	}
	b.write("EXISTS (SELECT 1 FROM json_each(", col, ") WHERE value = ")
	b.arg(tag)
	b.write(")")
}

func (b *builder) page(sorts map[string]string, def string, p core.Page) {
	order, ok := sorts[p.Sort]
	if !ok {
		order = sorts[def]
	}
	limit := p.Limit
	if limit <= 0 {
		limit = core.MaxLimit
	}
	b.write(" ORDER BY ")
	if alias, rest, ok := strings.Cut(order, ".run_time"); ok { // no column: it goes on while a run does
		b.runTime(alias, core.Now())
		order = rest
	}
	b.write(order, " LIMIT ")
	b.arg(int64(limit))
	if p.Offset > 0 {
		b.write(" OFFSET ")
		b.arg(int64(p.Offset))
	}
}
