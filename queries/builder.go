// Package queries holds what SQL is written in: the .sql files that sqlc
// reads, and here the part of a list's SQL that depends on its filter.
//
// Import law: imports core only.
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

func (b *builder) w(parts ...string) {
	for _, p := range parts {
		b.b.WriteString(p)
	}
}

func (b *builder) arg(v any) {
	b.args = append(b.args, v)
	if b.d == Postgres {
		b.w("$")
	} else {
		b.w("?")
	}
	b.w(strconv.Itoa(len(b.args)))
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
		b.err = core.Errorf(core.EInvalid, "the filter has a list of %d conditions; at most %d are allowed: send several requests with fewer", n, most)
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
		b.w("1=1")
		return
	}
	b.atMost(maxTerms, len(terms))
	sep := " AND "
	if op == core.Or {
		sep = " OR "
	}
	b.w("(")
	for i, t := range terms {
		if i > 0 {
			b.w(sep)
		}
		t()
	}
	b.w(")")
}

func in[T any](b *builder, not bool, col string, vs []T) {
	if len(vs) == 0 {
		if not {
			b.w("1=1")
		} else {
			b.w("1=0")
		}
		return
	}
	b.w(col)
	if not {
		b.w(" NOT")
	}
	b.w(" IN (")
	for i, v := range vs {
		if i > 0 {
			b.w(",")
		}
		b.arg(v)
	}
	b.w(")")
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
		b.w("(", col, ")")
		if ascii(v.text) { // the same rows as by the locale's rules, in half the time
			b.w(` COLLATE "C"`)
		}
		b.w(" ILIKE ")
		b.arg("%" + pattern + "%")
		b.w(" ESCAPE '", escape, "'")
		return
	}
	b.w(col, " LIKE ")
	b.arg("%" + pattern + "%")
	if escape != "" {
		b.w(" ESCAPE '", escape, "'")
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
	b.w("(1=0")
	for _, v := range vs {
		b.w(" OR substr(", col, ", 1, ", strconv.Itoa(len([]rune(v))), ") = ")
		b.arg(v)
	}
	b.w(")")
}

func (b *builder) null(col string, is bool) {
	b.w(col)
	if is {
		b.w(" IS NULL")
	} else {
		b.w(" IS NOT NULL")
	}
}

func (b *builder) cmp(col, op string, v any) {
	b.w(col, op)
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
		b.w("(", col, " ->> CAST(")
		b.arg(key)
		b.w(" AS TEXT))")
		return
	}
	b.w("json_extract(", col, ", ")
	name, _ := json.Marshal(core.CleanText(key)) // the escapes of a path are those of JSON
	b.arg("$." + string(name))
	b.w(")")
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
		b.w(col, " @> jsonb_build_array(CAST(")
		b.arg(tag)
		b.w(" AS TEXT))")
		return
	}
	b.w("EXISTS (SELECT 1 FROM json_each(", col, ") WHERE value = ")
	b.arg(tag)
	b.w(")")
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
	b.w(" ORDER BY ", order, " LIMIT ")
	b.arg(int64(limit))
	if p.Offset > 0 {
		b.w(" OFFSET ")
		b.arg(int64(p.Offset))
	}
}
