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
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, core.Errorf(core.EInternal, "schema of %s: %w", t, err)
	}
	properties, _ := m["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
	}
	position := 0
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			property, ok := properties[p.Key].(map[string]any)
			if !ok {
				property = map[string]any{}
				properties[p.Key] = property
			}
			if _, ok := property["title"]; !ok {
				property["title"] = p.Key
			}
			property["position"] = position
			position++
		}
	}
	optional := pointers(t)
	required := []any{}
	list, _ := m["required"].([]any)
	for _, name := range list {
		property, _ := properties[name.(string)].(map[string]any)
		if _, hasDefault := property["default"]; !hasDefault && !optional[name.(string)] {
			required = append(required, name)
		}
	}
	delete(m, "$schema")
	delete(m, "$id")
	m["title"], m["type"], m["properties"], m["required"], m["additionalProperties"] = "Parameters", "object", properties, required, false
	return core.ToJSON(m), nil
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
