package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// reader reads JSON as pydantic's lax mode does: it converts what may be converted,
// and notes what is wrong, and where, in pydantic's words.
type reader struct {
	found   []core.FieldError
	lenient bool // unknown keys are no error: newer clients, and those of later versions of flowlite, send them
	exact   bool // no conversions: the first look at the choices of a union
	// nullIsAbsent takes null for a list or an object that may be absent as absent:
	// Go encodes a nil slice or map so.
	nullIsAbsent bool
}

func (r *reader) add(kind, msg string, input []byte, loc []any) {
	if len(r.found) < 100 {
		r.found = append(r.found, core.FieldError{Type: kind, Loc: append([]any(nil), loc...), Msg: msg, Input: json.RawMessage(input)})
	}
}

func (r *reader) err() error {
	if len(r.found) == 0 {
		return nil
	}
	return &core.Error{Code: core.EInvalid, Message: r.found[0].Msg, Fields: r.found}
}

func below(loc []any, part any) []any { return append(slices.Clip(loc), part) }

// read returns the value as the strict form of w. It is undefined if there are errors.
func (r *reader) read(w *wire, v []byte, loc []any) []byte {
	v = bytes.TrimSpace(v)
	if isNull(v, len(v)) && len(v) == len("null") && (w.Null || w.Type == "any") {
		return v
	}
	w = w.model()
	switch w.Type {
	case "any":
		return v
	case "model":
		return r.readModel(w, v, loc)
	case "parameters":
		return r.readParameters(w, v, loc)
	case "list", "set", "tuple":
		return r.readList(w, v, loc)
	case "dict":
		return r.readDict(w, v, loc)
	case "union":
		return r.readUnion(w, v, loc)
	case "tagged":
		return r.readTagged(w, v, loc)
	case "none":
		r.add("none_required", "Input should be None", v, loc)
		return v
	}
	out, fault := w.scalar(v, r.exact || w.Strict)
	if fault != nil {
		r.add(fault.kind, fault.msg, v, loc)
	}
	return out
}

type member struct {
	key   string
	value json.RawMessage
}

// members of an object, in order; the last of two with the same key counts.
func members(v []byte) ([]member, bool) {
	if len(v) == 0 || v[0] != '{' {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(v))
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	var out []member
	place := map[string]int{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := member{key: key.(string)}
		if d.Decode(&m.value) != nil {
			return nil, false
		}
		if i, twice := place[m.key]; twice {
			out[i] = m
			continue
		}
		place[m.key] = len(out)
		out = append(out, m)
	}
	return out, true
}

func joined(ms []member) []byte {
	out := []byte{'{'}
	for i, m := range ms {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, quote(m.key)...), ':'), m.value...)
	}
	return append(out, '}')
}

func (w *wire) isContainer() bool { return w.Type == "list" || w.Type == "set" || w.Type == "dict" }

func quote(s string) []byte {
	b, _ := json.Marshal(s)
	return b
}

func (r *reader) readModel(w *wire, v []byte, loc []any) []byte {
	ms, ok := members(v)
	if !ok {
		r.add("model_attributes_type", "Input should be a valid dictionary or object to extract fields from", v, loc)
		return v
	}
	return r.readFields(w, ms, v, loc)
}

// readFields reads in the order of the model, as pydantic reports faults in it.
func (r *reader) readFields(w *wire, ms []member, v []byte, loc []any) []byte {
	if r.nullIsAbsent {
		ms = slices.DeleteFunc(ms, func(m member) bool {
			_, f := w.fieldOf([]byte(m.key))
			return f != nil && !f.Null && !f.Required && f.isContainer() && string(m.value) == "null"
		})
	}
	places := make(map[string]int, len(ms))
	for i, m := range ms {
		places[m.key] = i
	}
	for _, f := range w.Fields {
		i, there := places[f.Key]
		if !there {
			if f.Required {
				r.add("missing", "Field required", v, below(loc, f.Key))
			}
			continue
		}
		delete(places, f.Key)
		if w.Type == "parameters" && string(ms[i].value) == "null" {
			continue
		}
		ms[i].value = r.read(f, ms[i].value, below(loc, f.Key))
	}
	if w.Extra == "forbid" && !r.lenient {
		for _, m := range ms {
			if _, extra := places[m.key]; extra && !w.ours[m.key] {
				r.add("extra_forbidden", "Extra inputs are not permitted", m.value, below(loc, m.key))
			}
		}
	}
	return joined(ms)
}

// readParameters reads a body whose keys are the parameters of a function: null is
// the same as no such key, and a body that is no object has none of them.
func (r *reader) readParameters(w *wire, v []byte, loc []any) []byte {
	ms, ok := members(v)
	if !ok {
		for _, f := range w.Fields {
			r.add("missing", "Field required", nil, below(loc, f.Key))
		}
		return v
	}
	given := ms[:0]
	for _, m := range ms {
		if _, f := w.fieldOf([]byte(m.key)); f == nil || !f.Required || string(m.value) != "null" {
			given = append(given, m)
		}
	}
	return r.readFields(w, given, nil, loc)
}

func (r *reader) readList(w *wire, v []byte, loc []any) []byte {
	var items []json.RawMessage
	if len(v) == 0 || v[0] != '[' || json.Unmarshal(v, &items) != nil {
		r.add(w.Type+"_type", "Input should be a valid "+w.Type, v, loc)
		return v
	}
	if w.Type == "tuple" {
		for i, c := range w.Choices {
			if i >= len(items) {
				r.add("missing", "Field required", v, below(loc, i))
				continue
			}
			items[i] = r.read(c, items[i], below(loc, i))
		}
		if n := len(w.Choices); len(items) > n {
			r.add("too_long", fmt.Sprintf("Tuple should have at most %d item%s after validation, not %d", n, plural(n), len(items)), v, loc)
		}
	} else {
		for i := range items {
			items[i] = r.read(w.Items, items[i], below(loc, i))
		}
	}
	if w.Type == "set" {
		items = distinct(items)
	}
	title := strings.ToUpper(w.Type[:1]) + w.Type[1:]
	if w.Min != nil && len(items) < *w.Min {
		r.add("too_short", fmt.Sprintf("%s should have at least %d item%s after validation, not %d",
			title, *w.Min, plural(*w.Min), len(items)), v, loc)
	}
	if w.Max != nil && len(items) > *w.Max {
		r.add("too_long", fmt.Sprintf("%s should have at most %d item%s after validation, not %d",
			title, *w.Max, plural(*w.Max), len(items)), v, loc)
	}
	out := []byte{'['}
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return append(out, ']')
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func distinct(items []json.RawMessage) []json.RawMessage {
	seen, out := map[string]bool{}, items[:0]
	for _, item := range items {
		if !seen[string(item)] {
			seen[string(item)] = true
			out = append(out, item)
		}
	}
	return out
}

func (r *reader) readDict(w *wire, v []byte, loc []any) []byte {
	ms, ok := members(v)
	if !ok {
		r.add("dict_type", "Input should be a valid dictionary", v, loc)
		return v
	}
	if w.Items.Type == "any" {
		return v
	}
	for i := range ms {
		ms[i].value = r.read(w.Items, ms[i].value, below(loc, ms[i].key))
	}
	return joined(ms)
}

// readUnion takes the choice that the value is exactly, else the first that it can
// be converted to; if there is none, the faults of all choices are told.
func (r *reader) readUnion(w *wire, v []byte, loc []any) []byte {
	for _, exact := range [...]bool{true, false} {
		if r.exact && !exact {
			break
		}
		for _, c := range w.Choices {
			try := reader{lenient: r.lenient, exact: exact}
			if out := try.read(c, v, nil); len(try.found) == 0 {
				return out
			}
		}
	}
	for _, c := range w.Choices {
		r.read(c, v, below(loc, c.Tag))
	}
	return v
}

func (r *reader) readTagged(w *wire, v []byte, loc []any) []byte {
	ms, ok := members(v)
	if !ok {
		r.add("model_attributes_type", "Input should be a valid dictionary or object to extract fields from", v, loc)
		return v
	}
	for _, m := range ms {
		if m.key != w.By {
			continue
		}
		var tags []string
		for _, c := range w.Choices {
			if string(quote(c.Tag)) == string(m.value) {
				return r.read(c, v, below(loc, c.Tag))
			}
			tags = append(tags, "'"+c.Tag+"'")
		}
		r.add("union_tag_invalid", "Input tag does not match any of the expected tags: "+strings.Join(tags, ", "), v, loc)
		return v
	}
	r.add("union_tag_not_found", "Unable to extract tag using discriminator '"+w.By+"'", v, loc)
	return v
}

// fault is what is wrong with a value, in pydantic's words.
type fault struct{ kind, msg string }

func (w *wire) scalar(v []byte, exact bool) ([]byte, *fault) {
	if len(v) == 0 {
		return v, &fault{"missing", "Field required"}
	}
	switch w.Type {
	case "str":
		return w.laxText(v)
	case "int", "float":
		return w.laxNumber(v, exact)
	case "bool":
		return laxBool(v, exact)
	case "uuid":
		return laxUUID(v)
	case "datetime", "instant":
		return w.laxTime(v)
	case "timedelta":
		return w.laxDuration(v)
	case "enum", "literal":
		return w.oneOf(v)
	}
	return v, nil
}

func (w *wire) oneOf(v []byte) ([]byte, *fault) {
	var names []string
	for _, x := range w.Values {
		b, _ := json.Marshal(x)
		if bytes.Equal(b, v) {
			return v, nil
		}
		if s, ok := x.(string); ok {
			if v[0] == '"' && unquote(v) == s {
				return b, nil
			}
			names = append(names, "'"+s+"'")
		} else {
			names = append(names, string(b))
		}
	}
	list := strings.Join(names, ", ")
	if n := len(names); n > 1 {
		list = strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	}
	kind := "enum"
	if w.Type == "literal" {
		kind = "literal_error"
	}
	return v, &fault{kind, "Input should be " + list}
}

// within is what bound v breaks.
func (w *wire) within(v float64) *fault {
	for _, b := range [...]struct {
		bound *float64
		holds func(a, b float64) bool
		kind  string
		words string
	}{
		{w.Le, func(a, b float64) bool { return a <= b }, "less_than_equal", "less than or equal to"},
		{w.Lt, func(a, b float64) bool { return a < b }, "less_than", "less than"},
		{w.Ge, func(a, b float64) bool { return a >= b }, "greater_than_equal", "greater than or equal to"},
		{w.Gt, func(a, b float64) bool { return a > b }, "greater_than", "greater than"},
	} {
		if b.bound != nil && !b.holds(v, *b.bound) {
			return &fault{b.kind, "Input should be " + b.words + " " + strconv.FormatFloat(*b.bound, 'f', -1, 64)}
		}
	}
	return nil
}
