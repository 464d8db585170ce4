package form

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/core"
)

// Decode reads a post into JSON of the schema's types, for something new: what
// the form shows is what is sent, defaults too. It keeps what was typed in the
// fields, writes errors onto them, and reports whether there are none. Base is
// what Build was given as values: of that, untouched fields keep their bytes,
// and keys without a field stay. Fields left empty are left out.
func Decode(base core.JSON, fs []Field, q url.Values, loc *time.Location) (core.JSON, bool) {
	Post(fs, q)
	return decoder{loc, true}.object(base, fs)
}

// Edit is Decode for something that exists: what is not stored and was not
// touched stays unset.
func Edit(stored core.JSON, fs []Field, q url.Values, loc *time.Location) (core.JSON, bool) {
	Post(fs, q)
	return decoder{loc, false}.object(stored, fs)
}

type decoder struct {
	loc      *time.Location
	defaults bool // send those that the form shows
}

func (d decoder) object(base core.JSON, fs []Field) (core.JSON, bool) {
	out, _ := base.Object()
	changed, ok := base == nil, true
	for i := range fs {
		f := &fs[i]
		v, err := d.field(f)
		if err != nil {
			f.Error = err.Error()
		}
		switch {
		case f.Error != "" || len(Errors(f.Fields)) > 0:
			ok = false
		case v == nil && f.stored != nil:
			out.Delete(f.Name)
			changed = true
		case v != nil && !bytes.Equal(v, f.stored):
			out.Set(f.Name, v)
			changed = true
		}
	}
	if !changed {
		return base, ok
	}
	return out.JSON(), ok
}

// field is the JSON of one field, nil if it is left out.
func (d decoder) field(f *Field) (core.JSON, error) {
	if !f.touched() {
		switch {
		case f.stored != nil:
			return f.stored, nil
		case f.def != nil && d.defaults:
			return f.def, nil
		case !d.defaults && (f.def != nil || !f.Required && (f.IsNull || f.Kind == Object)):
			return nil, nil
		}
	}
	switch {
	case f.Nullable && f.IsNull:
		return core.JSON("null"), nil
	case f.Kind == Object:
		base := f.stored
		if base == nil {
			base = f.def
		}
		v, _ := d.object(base, f.Fields)
		if base == nil && !f.Required && string(v) == "{}" {
			return nil, nil
		}
		return v, nil
	case f.Kind == List:
		return f.list(d.loc)
	}
	v, err := f.one(d.loc)
	if v == nil && err == nil && f.Touched && f.HasDefault && !f.def.IsNull() && (d.defaults || f.stored == nil) {
		word := "Enter a value"
		if f.Kind == Integer || f.Kind == Number { // a browser sends nothing for what it cannot read as a number
			word = "Must be a number"
		}
		return nil, problem(word + "; its default is " + f.Default + ".")
	}
	return v, err
}

func (f *Field) list(loc *time.Location) (core.JSON, error) {
	items := []any{}
	var bad error
	for i, s := range f.Values {
		if i < len(f.shown) && i < len(f.items) && Same(s, f.shown[i]) {
			items = append(items, f.items[i])
			continue
		}
		if strings.TrimSpace(s) == "" { // cleared
			continue
		}
		v, err := f.value(f.Item, s, loc)
		if err != nil && bad == nil {
			bad = fmt.Errorf("%q: %w", s, err)
		}
		items = append(items, v)
	}
	if len(items) == 0 && !f.Required && !f.HasDefault && f.stored == nil {
		return nil, bad
	}
	if bad == nil {
		bad = f.count(items)
	}
	return core.Encode(items), bad
}

func (f *Field) count(items []any) error {
	switch n := len(items); {
	case n == 0 && f.Required && f.MinItems <= 1:
		return problem("Add at least one item.")
	case n < f.MinItems:
		return problem(fmt.Sprintf("At least %d items; this has %d.", f.MinItems, n))
	case f.MaxItems > 0 && n > f.MaxItems:
		return problem(fmt.Sprintf("At most %d items; this has %d.", f.MaxItems, n))
	}
	for i, v := range items {
		if f.Unique && slices.ContainsFunc(items[:i], func(x any) bool { return bytes.Equal(core.Encode(x), core.Encode(v)) }) {
			return problem(enumText(core.Encode(v)) + " is there twice.")
		}
	}
	return nil
}

// one reads a single control; empty means absent, except that clearing a text
// that has a value sends the empty text.
func (f *Field) one(loc *time.Location) (core.JSON, error) {
	text := f.Kind == String || f.Kind == Text
	if s := f.Value; text && s != "" || strings.TrimSpace(s) != "" {
		return f.value(f.Kind, s, loc)
	}
	switch {
	case f.Required && (f.Kind == Boolean || f.Kind == Enum):
		return nil, problem("Choose one.")
	case f.Required:
		return nil, problem("Required.")
	case text && f.HasDefault && !f.def.IsNull():
		return core.JSON(`""`), nil
	}
	return nil, nil
}

var (
	wholeNumber = regexp.MustCompile(`^[+-]?\d+$`)
	jsonNumber  = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`)
)

func (f *Field) value(k Kind, s string, loc *time.Location) (core.JSON, error) {
	if k == String || k == Text {
		return core.Encode(s), f.fits(s)
	}
	switch s = strings.TrimSpace(s); k {
	case Integer:
		if !wholeNumber.MatchString(s) {
			return nil, problem("Must be a whole number.")
		}
		n := strings.TrimLeft(strings.TrimLeft(s, "+-"), "0")
		if n = cmp.Or(n, "0"); s[0] == '-' {
			n = "-" + n
		}
		return core.JSON(n), f.between(n)
	case Number:
		if !jsonNumber.MatchString(s) { // such as .5
			x, err := strconv.ParseFloat(s, 64)
			if err != nil || x != x || x-x != 0 {
				return nil, problem("Must be a number.")
			}
			s = strconv.FormatFloat(x, 'f', -1, 64)
		}
		return core.JSON(s), f.between(s)
	case Boolean:
		if s != "true" && s != "false" {
			return nil, problem("Choose one.")
		}
		return core.JSON(s), nil
	case Enum:
		for i, e := range f.enum {
			if Same(strings.TrimSpace(f.Enum[i]), s) {
				return e, nil
			}
		}
		return nil, problem("Choose one of the listed values.")
	case DateTime:
		t, err := parseTime(s, loc)
		if err != nil {
			return nil, problem("Use a date and time like 2026-11-23T09:00.")
		}
		return core.Encode(t.UTC().Format(time.RFC3339Nano)), nil
	case Date:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil, problem("Use a date like 2026-11-23.")
		}
		return core.Encode(s), nil
	}
	if _, err := core.JSON(s).Decode(); err != nil {
		return nil, fmt.Errorf("Not valid JSON: %w", err)
	}
	switch start := s[:1]; {
	case f.Shape == "array" && start != "[":
		return nil, problem("Write a JSON list: [ … ].")
	case f.Shape == "object" && start != "{":
		return nil, problem("Write a JSON object: { … }.")
	}
	return core.JSON(s), nil
}

func parseTime(s string, loc *time.Location) (t time.Time, err error) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err = time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	return time.Parse(time.RFC3339, s)
}

func (f *Field) between(x string) error {
	for _, bound := range []struct {
		at     string
		broken func(int) bool
		text   string
	}{
		{f.Min, func(c int) bool { return c < 0 }, "Must be at least "}, {f.Max, func(c int) bool { return c > 0 }, "Must be at most "},
		{f.Above, func(c int) bool { return c <= 0 }, "Must be more than "}, {f.Below, func(c int) bool { return c >= 0 }, "Must be less than "},
	} {
		lo, err := bigFloat(x)
		hi, err2 := bigFloat(bound.at)
		if err == nil && err2 == nil && bound.broken(lo.Cmp(hi)) {
			return problem(bound.text + bound.at + ".")
		}
	}
	n, err := strconv.ParseFloat(x, 64)
	m, err2 := strconv.ParseFloat(f.MultipleOf, 64)
	if err == nil && err2 == nil && m > 0 && math.Abs(n/m) < 1<<53 { // beyond, the service knows
		if n /= m; math.Abs(n-math.Round(n)) > 1e-9 {
			return problem("Must be a multiple of " + f.MultipleOf + ".")
		}
	}
	return nil
}

func bigFloat(s string) (*big.Float, error) {
	x, _, err := big.ParseFloat(s, 10, 256, big.ToNearestEven)
	return x, err
}

func (f *Field) fits(s string) error {
	n := utf8.RuneCountInString(s)
	if f.MinLen > 0 && n < f.MinLen {
		return problem(fmt.Sprintf("At least %d characters; this has %d.", f.MinLen, n))
	}
	if f.MaxLen > 0 && n > f.MaxLen {
		return problem(fmt.Sprintf("At most %d characters; this has %d.", f.MaxLen, n))
	}
	if f.Pattern != "" {
		if re, err := regexp.Compile(f.Pattern); err == nil && !re.MatchString(s) {
			return problem("Does not match " + f.Pattern + ".")
		}
	}
	return nil
}

type problem string

func (p problem) Error() string { return string(p) }

// Mark writes the errors of a validator onto the fields their paths name, and
// returns those that belong to no field.
func Mark(fs []Field, errs []core.FieldError) (rest []core.FieldError) {
	for _, e := range errs {
		var path []string
		for _, l := range e.Loc {
			path = append(path, fmt.Sprint(l))
		}
		if f := find(fs, path); f != nil {
			f.Error = e.Msg
		} else {
			rest = append(rest, e)
		}
	}
	return rest
}

// find tries the path and its tails, because locations may begin with "body",
// "parameters" or "run_input".
func find(fs []Field, path []string) *Field {
	for ; len(path) > 0; path = path[1:] {
		i := slices.IndexFunc(fs, func(f Field) bool { return f.Name == path[0] })
		if i < 0 {
			continue
		}
		if f := find(fs[i].Fields, path[1:]); f != nil {
			return f
		}
		return &fs[i]
	}
	return nil
}

// Errors are the fields with an error, for the summary.
func Errors(fs []Field) []Field {
	var out []Field
	for _, f := range fs {
		if f.Error != "" {
			out = append(out, f)
		}
		out = append(out, Errors(f.Fields)...)
	}
	return out
}
