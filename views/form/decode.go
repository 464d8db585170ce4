package form

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/core"
)

// Decode reads posted values into JSON of the schema's types. It keeps what
// was typed in the fields, writes errors onto them, and says whether all is
// well. Fields left empty are left out, so that their defaults apply.
func Decode(fs []Field, q url.Values, loc *time.Location) (core.JSON, bool) {
	m, ok := decode(fs, q, loc)
	return core.ToJSON(m), ok
}

func decode(fs []Field, q url.Values, loc *time.Location) (map[string]any, bool) {
	out, ok := map[string]any{}, true
	for i := range fs {
		f := &fs[i]
		f.Error = ""
		if f.Nullable {
			if f.IsNull = q.Get("null."+f.Path) == "1"; f.IsNull {
				f.Value = q.Get(f.Path)
				out[f.Name] = nil
				continue
			}
		}
		var v any
		var err error
		var set bool
		switch f.Kind {
		case Object:
			m, good := decode(f.Fields, q, loc)
			ok, v = ok && good, m
			set = len(m) > 0 || f.Required
		case List:
			v, err = f.list(q[f.Path], loc)
			set = len(f.Values) > 0 || f.HasDefault
		default:
			f.Value = strings.TrimSpace(strings.ReplaceAll(q.Get(f.Path), "\r\n", "\n"))
			v, set, err = f.one(f.Value, loc)
		}
		if err != nil {
			f.Error, ok = err.Error(), false
			continue
		}
		if set {
			out[f.Name] = v
		}
	}
	return out, ok
}

// Cleared marks numbers that were sent empty though they have a default, and
// tells whether there are any: a browser sends nothing for what it cannot read
// as a number, and who clears a field does not expect its default to be taken.
func Cleared(fs []Field, q url.Values) (any bool) {
	for i := range fs {
		f := &fs[i]
		if Cleared(f.Fields, q) {
			any = true
		}
		if (f.Kind == Integer || f.Kind == Number) && f.HasDefault && f.Default != "null" && !f.IsNull && f.Error == "" && q.Has(f.Path) && f.Value == "" {
			f.Error, any = "Must be a number; its default is "+f.Default+".", true
		}
	}
	return any
}

func (f *Field) list(posted []string, loc *time.Location) (any, error) {
	f.Values = nil
	out := []any{}
	var bad error
	for _, s := range posted {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		f.Values = append(f.Values, s)
		v, err := f.value(f.Item, s, loc)
		if err != nil && bad == nil {
			bad = fmt.Errorf("%q: %w", s, err)
		}
		out = append(out, v)
	}
	if bad == nil && (len(out) > 0 || f.Required || f.HasDefault) {
		bad = f.count(out)
	}
	return out, bad
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
		if f.Unique && slices.ContainsFunc(items[:i], func(x any) bool { return fmt.Sprint(x) == fmt.Sprint(v) }) {
			return problem(fmt.Sprintf("%v is there twice.", v))
		}
	}
	return nil
}

// one reads a single control; empty means absent, except that clearing a text
// with a default sends the empty text.
func (f *Field) one(s string, loc *time.Location) (v any, set bool, err error) {
	if s != "" {
		v, err = f.value(f.Kind, s, loc)
		return v, true, err
	}
	switch {
	case f.Required && (f.Kind == Boolean || f.Kind == Enum):
		return nil, false, problem("Choose one.")
	case f.Required:
		return nil, false, problem("Required.")
	case (f.Kind == String || f.Kind == Text) && f.HasDefault && f.Default != "null":
		return "", true, nil
	}
	return nil, false, nil
}

func (f *Field) value(k Kind, s string, loc *time.Location) (any, error) {
	switch k {
	case Integer:
		x, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, problem("Must be a whole number.")
		}
		return x, f.between(float64(x))
	case Number:
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || x != x || x-x != 0 {
			return nil, problem("Must be a number.")
		}
		return json.Number(strconv.FormatFloat(x, 'f', -1, 64)), f.between(x)
	case Boolean:
		if s != "true" && s != "false" {
			return nil, problem("Choose one.")
		}
		return s == "true", nil
	case Enum:
		for _, e := range f.enum {
			if (builder{}).text(Enum, e) == s {
				return e, nil
			}
		}
		return nil, problem("Choose one of the listed values.")
	case DateTime:
		for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
			if t, err := time.ParseInLocation(layout, s, loc); err == nil {
				return t.UTC().Format(time.RFC3339), nil
			}
		}
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return t.UTC().Format(time.RFC3339), nil
		}
		return nil, problem("Use a date and time like 2026-11-23T09:00.")
	case Date:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil, problem("Use a date like 2026-11-23.")
		}
		return s, nil
	case JSON, Object:
		if !json.Valid([]byte(s)) {
			var x any
			return nil, fmt.Errorf("Not valid JSON: %w", json.Unmarshal([]byte(s), &x)) //nolint:staticcheck // a sentence for people
		}
		switch start := s[:1]; {
		case f.Shape == "array" && start != "[":
			return nil, problem("Write a JSON list: [ … ].")
		case f.Shape == "object" && start != "{":
			return nil, problem("Write a JSON object: { … }.")
		}
		return json.RawMessage(s), nil
	}
	return s, f.fits(s)
}

func (f *Field) between(x float64) error {
	if lo, err := strconv.ParseFloat(f.Min, 64); err == nil && x < lo {
		return problem("Must be at least " + f.Min + ".")
	}
	if hi, err := strconv.ParseFloat(f.Max, 64); err == nil && x > hi {
		return problem("Must be at most " + f.Max + ".")
	}
	if lo, err := strconv.ParseFloat(f.Above, 64); err == nil && x <= lo {
		return problem("Must be more than " + f.Above + ".")
	}
	if hi, err := strconv.ParseFloat(f.Below, 64); err == nil && x >= hi {
		return problem("Must be less than " + f.Below + ".")
	}
	if m, err := strconv.ParseFloat(f.MultipleOf, 64); err == nil && m > 0 {
		if n := x / m; math.Abs(n-math.Round(n)) > 1e-9 {
			return problem("Must be a multiple of " + f.MultipleOf + ".")
		}
	}
	return nil
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
