package schema

import (
	"encoding/json"
	"reflect"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/invopop/jsonschema"
)

// Of is the schema of a parameter struct, shaped as Prefect's: titled
// Parameters, each property with its title and position. A field is required
// unless it has a default, is a pointer or is tagged omitempty. A map takes
// any parameters. Other types are EInvalid.
func Of(t reflect.Type) (core.JSON, error) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() == reflect.Map || t.Kind() == reflect.Interface {
		return core.JSON(`{"properties":{},"title":"Parameters","type":"object"}`), nil
	}
	if t.Kind() != reflect.Struct {
		return nil, core.Errorf(core.EInvalid, "the parameters of a flow must be a struct, got %s; wrap the value in a struct with a json tag", t)
	}
	reflector := jsonschema.Reflector{Anonymous: true, ExpandedStruct: true}
	s, err := reflectType(&reflector, t)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "schema of %s: %w", t, err)
	}
	all, err := core.JSON(b).Tree()
	if err != nil {
		return nil, core.Errorf(core.EInternal, "schema of %s: %w", t, err)
	}
	m, _ := all.(core.Object)
	optional := pointers(t)
	properties := at(m, "properties")
	for i, p := range properties {
		property, _ := p.Value.(core.Object) // true is the schema of anything
		if _, ok := property.Get("title"); !ok {
			property.Set("title", p.Key)
		}
		properties[i].Value = property
	}
	required := []any{}
	list, _ := m.Get("required")
	names, _ := list.([]any)
	for _, name := range names {
		property := at(properties, name.(string))
		if _, hasDefault := property.Get("default"); !hasDefault && !optional[name.(string)] {
			required = append(required, name)
		}
	}
	out := core.Object{{Key: "title", Value: "Parameters"}, {Key: "type", Value: "object"}, {Key: "properties", Value: properties},
		{Key: "required", Value: required}, {Key: "additionalProperties", Value: false}}
	for _, x := range m {
		if _, ours := out.Get(x.Key); !ours && x.Key != "$schema" && x.Key != "$id" {
			out = append(out, x)
		}
	}
	return core.Encode(placed(out)), nil
}

// at is the object under a key, empty if there is none.
func at(o core.Object, key string) core.Object {
	v, _ := o.Get(key)
	inner, _ := v.(core.Object)
	if inner == nil {
		inner = core.Object{}
	}
	return inner
}

// placed gives the properties of each object the position of their definition:
// some stores sort the keys of an object.
func placed(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = placed(v[i])
		}
	case core.Object:
		for i, m := range v {
			properties, ok := m.Value.(core.Object)
			if m.Key != "properties" || !ok {
				if m.Key != "default" && m.Key != "enum" && m.Key != "const" && m.Key != "examples" {
					v[i].Value = placed(m.Value)
				}
				continue
			}
			for j, p := range properties {
				property, ok := placed(p.Value).(core.Object)
				if ok && property != nil {
					property.Set("position", j)
					properties[j].Value = property
				}
			}
		}
	}
	return v
}

// The library panics on types that JSON cannot carry, such as channels.
func reflectType(r *jsonschema.Reflector, t reflect.Type) (s *jsonschema.Schema, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = core.Errorf(core.EInvalid, "the parameters %s cannot be described: %v; use types that encode as JSON", t, p)
		}
	}()
	return r.ReflectFromType(t), nil
}

// pointers names the JSON keys of pointer fields.
func pointers(t reflect.Type) map[string]bool {
	out := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Type.Kind() == reflect.Pointer {
			out[jsonName(f)] = true
		}
	}
	return out
}

func jsonName(f reflect.StructField) string {
	tag := f.Tag.Get("json")
	for i := range len(tag) {
		if tag[i] == ',' {
			tag = tag[:i]
			break
		}
	}
	if tag == "" {
		return f.Name
	}
	return tag
}
