package schema

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// FromText returns the JSON value of a text that somebody typed for a property
// of the schema. Text is the text itself where the property is a text, or a
// text or null; else it is JSON, if it is JSON of a type that the property has.
func FromText(schema core.JSON, property, text string) core.JSON {
	root := schema.Map()
	properties, _ := root["properties"].(map[string]any)
	types := map[string]bool{}
	typesOf(root, properties[property], types, 0)
	kind := kindOf(text)
	asText := kind == "" || types["string"] && !types[kind] && !(kind == "integer" && types["number"])
	if kind == "string" && types["string"] { // quotes are a part of the text, unless other types make them mean something
		asText = len(types) == 1 || len(types) == 2 && types["null"]
	}
	if asText {
		return core.Encode(text)
	}
	return core.JSON(text)
}

// kindOf is the type of a JSON text, "" for what is no JSON.
func kindOf(text string) string {
	if !json.Valid([]byte(text)) {
		return ""
	}
	switch b := bytes.TrimSpace([]byte(text)); b[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		if bytes.ContainsAny(b, ".eE") {
			return "number"
		}
		return "integer"
	}
}

// typesOf collects the types that a schema names: its own, those of its
// alternatives and of what it refers to.
func typesOf(root map[string]any, schema any, types map[string]bool, depth int) {
	s, ok := schema.(map[string]any)
	if !ok || depth > 10 {
		return
	}
	switch t := s["type"].(type) {
	case string:
		types[t] = true
	case []any:
		for _, x := range t {
			if name, ok := x.(string); ok {
				types[name] = true
			}
		}
	}
	values, _ := s["enum"].([]any)
	if c, ok := s["const"]; ok {
		values = append(values, c)
	}
	for _, v := range values {
		types[kindOf(string(core.ToJSON(v)))] = true
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		list, _ := s[key].([]any)
		for _, x := range list {
			typesOf(root, x, types, depth+1)
		}
	}
	if ref, ok := s["$ref"].(string); ok && strings.HasPrefix(ref, "#/") {
		var at any = root
		for part := range strings.SplitSeq(ref[2:], "/") {
			m, _ := at.(map[string]any)
			at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
		typesOf(root, at, types, depth+1)
	}
}
