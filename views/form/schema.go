package form

import (
	"encoding/json"
	"slices"
	"strings"
)

// Schema is what a form reads of a JSON schema.
type Schema struct {
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Type        any               `json:"type"`
	Format      string            `json:"format"`
	Enum        []any             `json:"enum"`
	Const       any               `json:"const"`
	Default     json.RawMessage   `json:"default"`
	Minimum     *float64          `json:"minimum"`
	Maximum     *float64          `json:"maximum"`
	Above       *float64          `json:"exclusiveMinimum"`
	Below       *float64          `json:"exclusiveMaximum"`
	MultipleOf  *float64          `json:"multipleOf"`
	MinItems    *int              `json:"minItems"`
	MaxItems    *int              `json:"maxItems"`
	UniqueItems bool              `json:"uniqueItems"`
	MinLength   *int              `json:"minLength"`
	MaxLength   *int              `json:"maxLength"`
	Pattern     string            `json:"pattern"`
	Properties  map[string]Schema `json:"properties"`
	Required    []string          `json:"required"`
	Items       *Schema           `json:"items"`
	AnyOf       []Schema          `json:"anyOf"`
	OneOf       []Schema          `json:"oneOf"`
	AllOf       []Schema          `json:"allOf"`
	Ref         string            `json:"$ref"`
	Definitions map[string]Schema `json:"definitions"`
	Defs        map[string]Schema `json:"$defs"`
	Position    int               `json:"position"`
	TrueLabel   string            `json:"x-true-label"`
	FalseLabel  string            `json:"x-false-label"`
}

// Parse reads a schema; nothing and null are the schema of no fields.
func Parse(raw []byte) (Schema, error) {
	var s Schema
	if len(raw) == 0 {
		return s, nil
	}
	err := json.Unmarshal(raw, &s)
	return s, err
}

// resolve follows references and single allOf, whose own title, description,
// position and default win. A reference to itself ends after 16 hops.
func (s Schema) resolve(root Schema) Schema {
	for hop := 0; hop < 16; hop++ {
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
		rest := slices.DeleteFunc(slices.Clone(alternatives), func(a Schema) bool { return a.Type == "null" })
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
	if types, ok := s.Type.([]any); ok {
		rest := slices.DeleteFunc(slices.Clone(types), func(a any) bool { return a == "null" })
		null := len(rest) < len(types)
		s.Type = nil
		if len(rest) == 1 {
			s.Type = rest[0]
		}
		return s, null
	}
	return s, false
}
