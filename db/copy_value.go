package db

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5/pgconn"
)

// scan reads a row into values of the types that Bulk takes; NULL is nil.
func (t *table) scan(scan func(...any) error) ([]any, error) {
	dest := make([]any, len(t.columns))
	for i, c := range t.columns {
		switch c.kind {
		case kindUUID:
			dest[i] = new(core.UUID)
		case kindTime:
			dest[i] = new(core.Time)
		case kindJSON:
			dest[i] = new(core.JSON)
		case kindBool:
			dest[i] = new(*bool)
		case kindInt:
			dest[i] = new(*int64)
		case kindFloat:
			dest[i] = new(*float64)
		case kindText:
			dest[i] = new(*string)
		default:
			dest[i] = new([]byte)
		}
	}
	if err := scan(dest...); err != nil {
		return nil, err
	}
	for i := range dest {
		switch v := dest[i].(type) {
		case *core.UUID:
			dest[i] = *v
		case *core.Time:
			dest[i] = *v
		case *core.JSON:
			dest[i] = *v
		case **bool:
			dest[i] = value(*v)
		case **int64:
			dest[i] = value(*v)
		case **float64:
			dest[i] = value(*v)
		case **string:
			dest[i] = value(*v)
		case *[]byte:
			dest[i] = *v
		}
	}
	return dest, nil
}

func value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// mend replaces what Postgres cannot store, and returns in how many values.
func (t *table) mend(row []any) (n int) {
	for i := range row {
		switch v := row[i].(type) {
		case string:
			if s := core.CleanText(v); s != v {
				row[i] = s
				n++
			}
		case core.JSON:
			if s := core.CleanJSON(v); !bytes.Equal(s, v) {
				row[i] = s
				n++
			}
		}
	}
	return n
}

// tooLong names the first value that PostgreSQL's indexes cannot hold.
func (t *table) tooLong(row []any) error {
	for i, c := range t.columns {
		text, _ := row[i].(string)
		if l := limits[t.name+"."+c.name]; l != nil && len(text) > l.Bytes {
			return core.Errorf(
				core.EInvalid,
				"the row %s cannot be copied: its column %s has %d bytes, and an index of PostgreSQL holds at most %d; shorten or delete it in the source, and copy again",
				t.rowName(row),
				c.name,
				len(text),
				l.Bytes,
			)
		}
	}
	return nil
}

// rowName tells a row from others by its key.
func (t *table) rowName(row []any) string {
	var parts []string
	for _, name := range t.key() {
		v := fmt.Sprint(row[t.at(name)])
		if len(v) > 80 {
			v = strings.ToValidUTF8(v[:80], "") + "…"
		}
		parts = append(parts, name+"="+v)
	}
	return strings.Join(parts, " ")
}

var copyLine = regexp.MustCompile(`, line (\d+)(?:, column (\w+))?`)

// blame adds to an error of PostgreSQL's COPY which row it is about.
func (t *table) blame(err error, read rowsOf) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	place := copyLine.FindStringSubmatch(e.Where)
	if place == nil {
		return err
	}
	line, _ := strconv.Atoi(place[1])
	name := "number " + place[1]
	_ = read(func(row []any) error {
		if line--; line == 0 {
			name = t.rowName(row)
			return errEnough
		}
		return nil
	})
	return core.Errorf(
		core.CodeOf(err),
		"the row %s cannot be copied: %s (%s); change or delete it in the source, and copy again",
		name,
		e.Message,
		e.Where,
	)
}

// checksum is of rows in any order: the sum of their hashes.
type checksum struct {
	rows   int64
	lo, hi uint64
}

func (c *checksum) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], c.hi)
	binary.BigEndian.PutUint64(b[8:], c.lo)
	return hex.EncodeToString(b[:])
}

func (c *checksum) add(t *table, row []any) error {
	b := make([]byte, 0, 512)
	for i, v := range row {
		var err error
		if b, err = appendCanonical(b, v); err != nil {
			return fmt.Errorf("column %s: %w", t.columns[i].name, err)
		}
	}
	sum := sha256.Sum256(b)
	lo := c.lo + binary.BigEndian.Uint64(sum[8:16])
	c.hi += binary.BigEndian.Uint64(sum[:8])
	if lo < c.lo {
		c.hi++
	}
	c.lo = lo
	c.rows++
	return nil
}

// appendCanonical writes what a value means, so that no two rows write the same.
func appendCanonical(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, 0), nil
	case core.UUID:
		if v.IsZero() {
			return append(b, 0), nil
		}
		return append(append(b, 'u'), v[:]...), nil
	case core.Time:
		if v == 0 {
			return append(b, 0), nil
		}
		return binary.BigEndian.AppendUint64(append(b, 't'), uint64(v)), nil
	case bool:
		return append(b, 'b', map[bool]byte{true: 1}[v]), nil
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v)), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v)), nil
	case string:
		return append(binary.AppendUvarint(append(b, 's'), uint64(len(v))), v...), nil
	case []byte:
		if v == nil {
			return append(b, 0), nil
		}
		return append(binary.AppendUvarint(append(b, 'x'), uint64(len(v))), v...), nil
	case core.JSON:
		if v == nil {
			return append(b, 0), nil
		}
		d := json.NewDecoder(bytes.NewReader(v))
		d.UseNumber()
		var x any
		if err := d.Decode(&x); err != nil {
			return nil, core.Errorf(core.EInternal, "the JSON cannot be read: %w", err)
		}
		if _, err := d.Token(); err != io.EOF {
			return nil, core.Errorf(core.EInternal, "more than one JSON value")
		}
		return appendJSON(append(b, 'j'), x), nil
	}
	return nil, core.Errorf(core.EInternal, "a value of type %T cannot be copied", v)
}

func appendJSON(b []byte, x any) []byte {
	switch x := x.(type) {
	case nil:
		return append(b, 'n')
	case bool:
		return append(b, 'b', map[bool]byte{true: 1}[x])
	case json.Number:
		n := number(string(x))
		return append(binary.AppendUvarint(append(b, 'f'), uint64(len(n))), n...)
	case string:
		return append(binary.AppendUvarint(append(b, 's'), uint64(len(x))), x...)
	case []any:
		b = binary.AppendUvarint(append(b, 'a'), uint64(len(x)))
		for _, e := range x {
			b = appendJSON(b, e)
		}
		return b
	}
	m, _ := x.(map[string]any)
	b = binary.AppendUvarint(append(b, 'o'), uint64(len(m)))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = appendJSON(appendJSON(b, k), m[k])
	}
	return b
}

// number is a JSON number as digits and the power of ten of the last one:
// Postgres writes 1e2 as 100.
func number(s string) string {
	mantissa, power, _ := strings.Cut(strings.ToLower(s), "e")
	exponent := new(big.Int)
	if power != "" {
		exponent.SetString(strings.TrimPrefix(power, "+"), 10)
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	exponent.Sub(exponent, big.NewInt(int64(len(fraction))))
	digits = strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(digits, "0")
	exponent.Add(exponent, big.NewInt(int64(len(digits)-len(short))))
	switch {
	case short == "":
		return "0"
	case negative:
		short = "-" + short
	}
	return short + "e" + exponent.String()
}
