package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
)

// Object is a JSON object whose keys keep their order. A value is a JSON where
// the object was read by JSON.Object, and a decoded value where it was read by
// JSON.Tree.
type Object []Member

// Member is one key of an Object and its value.
type Member struct {
	Key   string
	Value any
}

// Get returns the value of key, or nil and false if the object does not have it.
func (o Object) Get(key string) (any, bool) {
	if i := o.index(key); i >= 0 {
		return o[i].Value, true
	}
	return nil, false
}

// Raw returns the JSON of key, or nil if the object does not have it.
func (o Object) Raw(key string) JSON {
	v, _ := o.Get(key)
	j, _ := v.(JSON)
	return j
}

// Set gives key a value. A new key goes to the end.
func (o *Object) Set(key string, v any) {
	if i := o.index(key); i >= 0 {
		(*o)[i].Value = v
		return
	}
	*o = append(*o, Member{key, v})
}

// Delete removes key.
func (o *Object) Delete(key string) {
	*o = slices.DeleteFunc(*o, func(m Member) bool { return m.Key == key })
}

// Overlay sets the members of over, one by one.
func (o *Object) Overlay(over Object) {
	for _, m := range over {
		o.Set(m.Key, m.Value)
	}
}

func (o Object) index(key string) int {
	return slices.IndexFunc(o, func(m Member) bool { return m.Key == key })
}

// JSON encodes the object. Values of type JSON stay as they are written.
func (o Object) JSON() JSON {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(Encode(m.Key))
		b.WriteByte(':')
		b.Write(Encode(m.Value))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// MarshalJSON encodes the object.
func (o Object) MarshalJSON() ([]byte, error) { return o.JSON(), nil }

// Encode encodes v without escaping HTML. A JSON stays as it is written. It
// panics if v cannot be encoded: it is for values that were decoded, and for
// flowlite's own types.
func Encode(v any) JSON {
	switch v := v.(type) {
	case JSON:
		if v != nil {
			return v
		}
	case Object:
		return v.JSON()
	case []any:
		return encodeList(v)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("encode: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func encodeList(list []any) JSON {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(Encode(v))
	}
	b.WriteByte(']')
	return b.Bytes()
}

var errNoObject = errors.New("not a JSON object")

// Object reads one level of an object: each value stays as it is written. Of
// equal keys the last wins. Absent and null JSON is an empty object.
func (j JSON) Object() (Object, error) {
	if j.IsNull() {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(j))
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, errNoObject
	}
	out, at := Object{}, map[string]int{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		var v JSON
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		if i, ok := at[key]; ok {
			out[i].Value = v
			continue
		}
		at[key] = len(out)
		out = append(out, Member{key, v})
	}
	return out, end(d)
}

// List reads one level of an array: each item stays as it is written.
func (j JSON) List() ([]JSON, error) {
	var out []JSON
	err := json.Unmarshal(j, &out)
	return out, err
}

// end reads what follows the last member of an object.
func end(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the end of the JSON value")
	}
	return nil
}

// Tree decodes a value of any depth. Objects are of type Object and keep the
// order of their keys, and numbers are of type json.Number.
func (j JSON) Tree() (any, error) {
	switch first := bytes.TrimLeft(j, " \t\r\n"); {
	case len(first) > 0 && first[0] == '{':
		o, err := j.Object()
		for i := range o {
			if err == nil {
				o[i].Value, err = o[i].Value.(JSON).Tree()
			}
		}
		return o, err
	case len(first) > 0 && first[0] == '[':
		list, err := j.List()
		out := make([]any, len(list))
		for i := range list {
			if err == nil {
				out[i], err = list[i].Tree()
			}
		}
		return out, err
	}
	return j.Decode()
}

// Decode decodes a value of any depth into Go's own types, but numbers into
// json.Number: a float64 would round them.
func (j JSON) Decode() (v any, err error) {
	err = Unmarshal(j, &v)
	return v, err
}

// Unmarshal is json.Unmarshal, but numbers without a type of their own stay as
// they are written, as json.Number.
func Unmarshal(b []byte, v any) error {
	if !json.Valid(b) {
		var x any
		return json.Unmarshal(b, &x) // says where it is wrong
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

// ObjectTree decodes an object at every depth; anything else is an empty one.
func (j JSON) ObjectTree() any {
	v, err := j.OrObject().Tree()
	if _, ok := v.(Object); !ok || err != nil {
		return Object{}
	}
	return v
}
