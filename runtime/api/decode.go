package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// decode reads the body into v, which points to a struct or a slice. The fast
// path is a scan that finds nothing to convert, and one pass of encoding/json. Only
// when the scan is not sure, the body is read as pydantic would (reader). Operations
// that Prefect does not have are walked again (diagnose) if encoding/json fails.
func decode(c *call, v any) error {
	body := bytes.TrimSpace(c.body)
	w := c.op.plan.of()
	if len(body) == 0 || string(body) == "null" {
		switch {
		case w != nil && w.Type == "parameters":
			body = []byte("{}")
		case c.op.optional || w != nil && !w.Required:
			return nil
		default:
			return invalid("missing", "Field required", nil)
		}
	}
	if !isJSON(c.r.Header.Get("Content-Type")) {
		return invalid("model_attributes_type", "Input should be a valid dictionary or object to extract fields from; send it as application/json", text(body))
	}
	if b, ok := v.(batched); ok {
		return b.decode(c, body)
	}
	body, err := admitted(body)
	if err != nil {
		return err
	}
	if w != nil {
		if body, err = w.strictly(c, body); err != nil {
			return err
		}
		if core.Unmarshal(body, v) != nil {
			return diagnose(c.op, body, v)
		}
		return nil
	}
	for _, key := range c.op.required {
		if !bytes.Contains(body, []byte(`"`+key+`"`)) {
			return diagnose(c.op, body, v)
		}
	}
	if c.op.strict {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		d.UseNumber()
		if !hides(reflect.TypeOf(v).Elem()) && d.Decode(v) == nil && atEnd(d) {
			return nil
		}
		// An unknown key at the top is no error, only one within a filter.
		reflect.ValueOf(v).Elem().SetZero()
	}
	if err := core.Unmarshal(body, v); err != nil {
		return diagnose(c.op, body, v)
	}
	if c.op.strict {
		if err := diagnose(c.op, body, v); err != nil {
			return err
		}
	}
	return nil
}

// admitted is what may be stored of a body, or of a frame of a socket: all text
// on its way in is cleaned here, and what no client could read is refused.
func admitted(body []byte) ([]byte, error) {
	body = bytes.TrimSpace(body)
	if err := core.CheckJSON(body); err != nil {
		return nil, err
	}
	return core.CleanJSON(body), nil
}

func atEnd(d *json.Decoder) bool {
	_, err := d.Token()
	return err == io.EOF
}

func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

func text(b []byte) string {
	if len(b) > 1000 {
		b = b[:1000]
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// diagnose finds every fault of a body that did not decode; nil if there is
// none but unknown keys in places where they are ignored.
func diagnose(o *op, body []byte, v any) error {
	var tree any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err := d.Decode(&tree)
	if err == nil && !atEnd(d) {
		err = errors.New("Extra data")
	}
	if err != nil {
		at := int(d.InputOffset())
		if s := (*json.SyntaxError)(nil); errors.As(err, &s) {
			at = int(s.Offset)
		}
		return &core.Error{Code: core.EInvalid, Message: "The body is not JSON: " + err.Error(), Fields: []core.FieldError{
			{
				Type:  "json_invalid",
				Loc:   []any{"body", at},
				Msg:   "JSON decode error",
				Input: map[string]any{},
				Ctx:   map[string]string{"error": err.Error()},
			},
		}}
	}
	var w walk
	if m, ok := tree.(map[string]any); ok {
		for _, key := range o.required {
			if _, has := m[key]; !has {
				w.add("missing", "Field required", tree, []any{"body", key})
			}
		}
	}
	w.strict = o.strict
	w.value(reflect.TypeOf(v).Elem(), tree, []any{"body"}, true)
	if len(w.found) == 0 {
		if json.Unmarshal(body, v) == nil {
			return nil
		}
		w.add("value_error", "The body does not have the shape that this operation takes", tree, []any{"body"})
	}
	first := w.found[0]
	return &core.Error{Code: core.EInvalid, Message: first.Msg, Fields: w.found}
}

// walk compares a JSON tree with a Go type.
type walk struct {
	strict bool
	found  []core.FieldError
}

func (w *walk) add(kind, msg string, input any, loc []any) {
	if len(w.found) < 100 {
		w.found = append(w.found, core.FieldError{Type: kind, Loc: append([]any(nil), loc...), Msg: msg, Input: input})
	}
}

var (
	uuidType   = reflect.TypeFor[core.UUID]()
	timeType   = reflect.TypeFor[core.Time]()
	rawType    = reflect.TypeFor[core.JSON]()
	numberType = reflect.TypeFor[whole]()
	stateType  = reflect.TypeFor[core.StateType]()
	joinType   = reflect.TypeFor[core.Operator]()
	decoder    = reflect.TypeFor[json.Unmarshaler]()
	optType    = reflect.TypeFor[interface{ Optional() }]() // core.Opt of any type

	resourcesType = reflect.TypeFor[core.EventResources]()
)

var hiding sync.Map // reflect.Type to bool

// hides: t holds a type that decodes structs itself, which encoding/json's
// refusal of unknown keys does not reach into.
func hides(t reflect.Type) bool {
	if known, ok := hiding.Load(t); ok {
		return known.(bool)
	}
	found := false
	switch {
	case t == resourcesType, t.Implements(optType):
		found = true
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Array, t.Kind() == reflect.Map:
		found = hides(t.Elem())
	case t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(decoder):
		for i := range t.NumField() {
			found = found || hides(t.Field(i).Type)
		}
	}
	hiding.Store(t, found)
	return found
}

func (w *walk) value(t reflect.Type, v any, loc []any, top bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v == nil || t == rawType {
		return
	}
	switch {
	case t == uuidType:
		w.try(t, v, loc, "uuid_parsing", "Input should be a valid UUID, like 01a20773-a14d-78d4-9f33-3827ef36fc20")
	case t == timeType:
		w.try(t, v, loc, "datetime_parsing", "Input should be a valid datetime, like 2026-11-23T09:00:00Z")
	case t == stateType:
		w.try(
			t,
			v,
			loc,
			"enum",
			"Input should be 'SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED' or 'CANCELLING'",
		)
	case t == joinType:
		w.try(t, v, loc, "enum", "Input should be 'and_' or 'or_'")
	case t == numberType:
		w.integer(v, loc)
	case t == resourcesType:
		// One filter or a list of them.
		if _, one := v.(map[string]any); one {
			v = []any{v}
		}
		w.list(t, v, loc)
	case t.Implements(optType):
		f, _ := t.FieldByName("V")
		w.value(f.Type, v, loc, false)
	case reflect.PointerTo(t).Implements(decoder):
		w.try(t, v, loc, "value_error", "Input does not have the expected shape")
	case t.Kind() == reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			w.add("model_attributes_type", "Input should be a valid dictionary or object to extract fields from", v, loc)
			return
		}
		fields := map[string]reflect.Type{}
		jsonFields(t, fields)
		for key, child := range m {
			ft, known := fields[key]
			switch {
			case known:
				w.value(ft, child, append(slices.Clip(loc), key), false)
			case w.strict && !top:
				w.add("extra_forbidden", "Extra inputs are not permitted", child, append(slices.Clip(loc), key))
			}
		}
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		w.list(t, v, loc)
	case t.Kind() == reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			w.add("dict_type", "Input should be a valid dictionary", v, loc)
			return
		}
		for key, child := range m {
			w.value(t.Elem(), child, append(slices.Clip(loc), key), false)
		}
	case t.Kind() == reflect.String:
		if _, ok := v.(string); !ok {
			w.add("string_type", "Input should be a valid string", v, loc)
		}
	case t.Kind() == reflect.Bool:
		if _, ok := v.(bool); !ok {
			w.add("bool_type", "Input should be a valid boolean", v, loc)
		}
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		if n, ok := v.(json.Number); !ok || strings.ContainsAny(string(n), ".eE") {
			w.integer(v, loc)
		}
	case t.Kind() == reflect.Float64:
		if _, ok := v.(json.Number); !ok {
			w.add("float_type", "Input should be a valid number", v, loc)
		}
	}
}

func (w *walk) list(t reflect.Type, v any, loc []any) {
	list, ok := v.([]any)
	if !ok {
		w.add("list_type", "Input should be a valid list", v, loc)
		return
	}
	for i, child := range list {
		w.value(t.Elem(), child, append(slices.Clip(loc), i), false)
	}
}

func (w *walk) try(t reflect.Type, v any, loc []any, kind, msg string) {
	b, _ := json.Marshal(v)
	if err := json.Unmarshal(b, reflect.New(t).Interface()); err != nil {
		w.add(kind, msg, v, loc)
	}
}

func (w *walk) integer(v any, loc []any) {
	b, _ := json.Marshal(v)
	var n whole
	if n.UnmarshalJSON(b) == nil {
		return
	}
	switch v.(type) {
	case json.Number:
		w.add("int_from_float", "Input should be a valid integer, got a number with a fractional part", v, loc)
	case string:
		w.add("int_parsing", "Input should be a valid integer, unable to parse string as an integer", v, loc)
	default:
		w.add("int_type", "Input should be a valid integer", v, loc)
	}
}

func jsonFields(t reflect.Type, into map[string]reflect.Type) {
	for f := range t.Fields() {
		if f.Anonymous {
			jsonFields(f.Type, into)
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			into[name] = f.Type
		}
	}
}

// whole is an integer as lenient as the peer's: "1", 1.0 and true are 1.
type whole int

func (n *whole) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	switch s {
	case "null":
		return nil
	case "true":
		*n = 1
		return nil
	case "false":
		*n = 0
		return nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || f != float64(int64(f)) {
		return errors.New(s + " is not an integer")
	}
	*n = whole(f)
	return nil
}
