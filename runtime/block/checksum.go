package block

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// blockChecksum is the name that clients have for a schema: a hash of its
// fields as Python prints them, without what tells nothing of the shape.
func blockChecksum(fields map[string]any) string {
	kept := withoutSecretFields(fields)
	if definitions, ok := kept["definitions"].(map[string]any); ok && len(definitions) > 0 {
		plain := map[string]any{}
		plainDefinitions(kept, definitions, plain)
		if len(plain) > 0 {
			kept["definitions"] = plain
		} else {
			delete(kept, "definitions")
		}
	}
	var b strings.Builder
	b.WriteString("[[")
	pythonJSON(&b, kept)
	b.WriteString("], {}]")
	sum := sha256.Sum256([]byte(b.String()))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// withoutSecretFields goes through objects, not lists: so do clients.
func withoutSecretFields(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if k == "secret_fields" {
			continue
		}
		if child, ok := v.(map[string]any); ok {
			v = withoutSecretFields(child)
		}
		out[k] = v
	}
	return out
}

// plainDefinitions gathers the definitions that v refers to, directly or not,
// and that are no blocks themselves.
func plainDefinitions(v any, definitions, into map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			plainDefinitions(x, definitions, into)
		}
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			name := strings.ReplaceAll(ref, "#/definitions/", "")
			def, _ := definitions[name].(map[string]any)
			if _, seen := into[name]; !seen && len(def) > 0 && def["block_type_slug"] == nil {
				into[name] = def
				plainDefinitions(def, definitions, into)
			}
		}
		for _, x := range v {
			plainDefinitions(x, definitions, into)
		}
	}
}

// pythonJSON writes v as Python's json.dumps(v, sort_keys=True) does.
func pythonJSON(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		pythonString(b, v)
	case json.Number:
		b.WriteString(pythonNumber(string(v)))
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			pythonJSON(b, x)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			pythonString(b, k)
			b.WriteString(": ")
			pythonJSON(b, v[k])
		}
		b.WriteByte('}')
	default:
		panic(fmt.Sprintf("no JSON: %T", v))
	}
}

func pythonString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}

// pythonNumber: integers as they are, floats as repr prints them.
func pythonNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case err != nil:
		return text
	}
	exp := strconv.FormatFloat(f, 'e', -1, 64)
	if at := strings.IndexByte(exp, 'e'); f != 0 {
		if n, _ := strconv.Atoi(exp[at+1:]); n < -4 || n >= 16 {
			return exp
		}
	}
	out := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(out, ".") {
		out += ".0"
	}
	return out
}
