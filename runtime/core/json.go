package core

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
)

// JSON is raw JSON: TEXT in SQLite, JSONB in Postgres. nil is SQL NULL and null.
type JSON []byte

// ToJSON encodes v, which must be encodable: it is for our own types.
func ToJSON(v any) JSON {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return b
}

// OrObject is j, or {} where j is absent or null.
func (j JSON) OrObject() JSON {
	if len(j) == 0 || string(j) == "null" {
		return JSON("{}")
	}
	return j
}

func (j JSON) IsNull() bool { return len(j) == 0 || string(j) == "null" }

// Map decodes an object; anything else gives an empty map. Numbers are of type
// json.Number.
func (j JSON) Map() map[string]any {
	m := map[string]any{}
	if len(j) > 0 {
		_ = Unmarshal(j, &m)
	}
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (j JSON) Value() (driver.Value, error) {
	if j == nil {
		return nil, nil
	}
	return string(j), nil
}

func (j *JSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*j = nil
	case string:
		*j = JSON(v)
	case []byte:
		*j = append(JSON(nil), v...)
	default:
		return fmt.Errorf("json: %T", src)
	}
	return nil
}

func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j) == 0 {
		return []byte("null"), nil
	}
	return j, nil
}

func (j *JSON) UnmarshalJSON(b []byte) error {
	*j = append((*j)[:0], b...)
	return nil
}

// Tags is a JSON array of strings, never null in JSON.
type Tags []string

func (t Tags) MarshalJSON() ([]byte, error) {
	if len(t) == 0 {
		return []byte("[]"), nil
	}
	return json.Marshal([]string(t))
}

func (t Tags) Value() (driver.Value, error) {
	if len(t) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal([]string(t))
	return string(b), err
}

func (t *Tags) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = nil
		return nil
	case string:
		return json.Unmarshal([]byte(v), (*[]string)(t))
	case []byte:
		return json.Unmarshal(v, (*[]string)(t))
	}
	return fmt.Errorf("tags: %T", src)
}

// Opt tells an absent field from a null one, as PATCH and upsert bodies need.
type Opt[T any] struct {
	Set  bool // the key was there
	Null bool // and its value was null
	V    T
}

func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, V: v} }

// Null is a present null.
func Null[T any]() Opt[T] { return Opt[T]{Set: true, Null: true} }

// Optional marks Opt for decoders that work by reflection: no other type has it.
func (Opt[T]) Optional() {}

func (o Opt[T]) IsZero() bool { return !o.Set }

// Or is the value if one was given that is not null, else def.
func (o Opt[T]) Or(def T) T {
	if o.Set && !o.Null {
		return o.V
	}
	return def
}

// Ptr is nil for absent and for null.
func (o Opt[T]) Ptr() *T {
	if o.Set && !o.Null {
		v := o.V
		return &v
	}
	return nil
}

func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Set || o.Null {
		return []byte("null"), nil
	}
	return json.Marshal(o.V)
}

func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	*o = Opt[T]{Set: true}
	if string(b) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(b, &o.V)
}

// Ptr is a pointer to v, for the nullable fields of records.
func Ptr[T any](v T) *T { return &v }

// Given is p, or nil where *p is "": an optional text that is empty is none. Two
// records without a key, slug or name do not have the same one.
func Given(p *string) *string {
	if p != nil && *p == "" {
		return nil
	}
	return p
}

// Deref is *p, or the zero value of a nil p.
func Deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// SameJSON reports whether two values are equal whatever their spacing and the order
// of their keys; nil and null are empty objects.
func SameJSON(a, b JSON) bool {
	if a, b = a.OrObject(), b.OrObject(); bytes.Equal(a, b) {
		return true
	}
	decode := func(j JSON) (v any) {
		d := json.NewDecoder(bytes.NewReader(j))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return string(j)
		}
		return v
	}
	return reflect.DeepEqual(decode(a), decode(b))
}
