package form

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Schema is what a form reads of a JSON schema. Values and bounds stay as they
// are written.
type Schema struct {
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Type        Type              `json:"type"`
	Format      string            `json:"format"`
	Enum        []core.JSON       `json:"enum"`
	Const       core.JSON         `json:"const"`
	Default     core.JSON         `json:"default"`
	Minimum     json.Number       `json:"minimum"`
	Maximum     json.Number       `json:"maximum"`
	Above       json.Number       `json:"exclusiveMinimum"`
	Below       json.Number       `json:"exclusiveMaximum"`
	MultipleOf  json.Number       `json:"multipleOf"`
	MinItems    *int              `json:"minItems"`
	MaxItems    *int              `json:"maxItems"`
	UniqueItems bool              `json:"uniqueItems"`
	MinLength   *int              `json:"minLength"`
	MaxLength   *int              `json:"maxLength"`
	Pattern     string            `json:"pattern"`
	Properties  Properties        `json:"properties"`
	Required    []string          `json:"required"`
	Items       *Schema           `json:"items"`
	AnyOf       []Schema          `json:"anyOf"`
	OneOf       []Schema          `json:"oneOf"`
	AllOf       []Schema          `json:"allOf"`
	Ref         string            `json:"$ref"`
	Definitions map[string]Schema `json:"definitions"`
	Defs        map[string]Schema `json:"$defs"`
	Position    *int              `json:"position"`
	TrueLabel   string            `json:"x-true-label"`
	FalseLabel  string            `json:"x-false-label"`
}

// Type is the type of a schema, or its types.
type Type []string

// UnmarshalJSON reads one type or a list of them; anything else is no type.
func (t *Type) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = Type{one}
	} else if json.Unmarshal(b, (*[]string)(t)) != nil {
		*t = nil
	}
	return nil
}

func (t Type) is(name string) bool { return len(t) == 1 && t[0] == name }

// Property is one property of an object schema.
type Property struct {
	Name string
	Schema
}

// Properties keep the order of their definition.
type Properties []Property

// UnmarshalJSON reads an object of schemas. The order is that of their
// positions, if each has one, else that in which they are written.
func (p *Properties) UnmarshalJSON(b []byte) error {
	members, err := core.JSON(b).Object()
	if err != nil {
		return err
	}
	placed := true
	for _, m := range members {
		one := Property{Name: m.Key}
		if raw := m.Value.(core.JSON); string(raw) != "true" && string(raw) != "false" {
			if err := json.Unmarshal(raw, &one.Schema); err != nil {
				return err
			}
		}
		placed = placed && one.Position != nil
		*p = append(*p, one)
	}
	if placed {
		slices.SortStableFunc(*p, func(a, b Property) int { return *a.Position - *b.Position })
	}
	return nil
}

// Parse reads a schema; nothing and null are the schema of no fields.
func Parse(raw []byte) (Schema, error) {
	var s Schema
	if len(bytes.TrimSpace(raw)) == 0 {
		return s, nil
	}
	err := json.Unmarshal(raw, &s)
	return s, err
}

// resolve follows references and single allOf, whose own title, description,
// position and default win. A reference to itself ends after 16 hops.
func (s Schema) resolve(root Schema) Schema {
	for range 16 {
		var d Schema
		switch {
		case s.Ref != "":
			name := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
			d = root.Defs[name]
			if old, ok := root.Definitions[name]; ok {
				d = old
			}
		case len(s.AllOf) == 1:
			d = s.AllOf[0]
		default:
			return s
		}
		d.Position = s.Position
		if len(s.Default) > 0 {
			d.Default = s.Default
		}
		if s.Title != "" {
			d.Title = s.Title
		}
		if s.Description != "" {
			d.Description = s.Description
		}
		s = d
	}
	return Schema{Title: s.Title, Description: s.Description}
}

// optional takes null out of anyOf [T, null] and of type [T, "null"].
func (s Schema) optional(root Schema) (Schema, bool) {
	alternatives := s.AnyOf
	if len(alternatives) == 0 {
		alternatives = s.OneOf
	}
	if len(alternatives) > 0 {
		rest := slices.DeleteFunc(slices.Clone(alternatives), func(a Schema) bool { return a.Type.is("null") })
		null := len(rest) < len(alternatives)
		if len(rest) != 1 {
			s.Type, s.AnyOf, s.OneOf = nil, nil, nil
			return s, null
		}
		t := rest[0].resolve(root)
		t.Title, t.Position = s.Title, s.Position
		if len(s.Default) > 0 {
			t.Default = s.Default
		}
		if s.Description != "" {
			t.Description = s.Description
		}
		return t, null
	}
	if len(s.Type) > 1 {
		rest := slices.DeleteFunc(slices.Clone(s.Type), func(t string) bool { return t == "null" })
		null := len(rest) < len(s.Type)
		s.Type = nil
		if len(rest) == 1 {
			s.Type = rest
		}
		return s, null
	}
	return s, false
}
