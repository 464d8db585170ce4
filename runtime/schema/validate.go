package schema

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/flowlite/flowlite/runtime/core"
)

// Validate checks parameters; nil is fine. requireAll also asks for the
// parameters that the schema requires: a deployment's stored parameters may be
// partial, a run's may not. An absent schema takes anything.
func Validate(schemaJSON, params core.JSON, requireAll bool) []core.FieldError {
	if schemaJSON.IsNull() || string(schemaJSON) == "{}" {
		return nil
	}
	c, err := compile(schemaJSON, requireAll)
	if err != nil {
		return []core.FieldError{
			{Type: "schema_error", Loc: []any{"parameter_openapi_schema"}, Msg: "the parameter schema itself is not valid: " + err.Error()},
		}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(params.OrObject()))
	if err != nil {
		return []core.FieldError{{Type: "json_invalid", Loc: []any{"parameters"}, Msg: "parameters are not valid JSON: " + err.Error()}}
	}
	if _, ok := value.(map[string]any); !ok {
		return []core.FieldError{
			{Type: "dict_type", Loc: []any{"parameters"}, Msg: "parameters must be an object of names and values", Input: value},
		}
	}
	return c.check(value)
}

// Defaults is params with the schema's defaults for what is absent.
func Defaults(schemaJSON, params core.JSON) core.JSON {
	schema, err := schemaJSON.Object()
	properties, err2 := schema.Raw("properties").Object()
	values, err3 := params.Object()
	if err != nil || err2 != nil || err3 != nil {
		return params.OrObject()
	}
	before := len(values)
	for _, p := range properties {
		property, _ := p.Value.(core.JSON).Object()
		if _, ok := values.Get(p.Key); !ok && property.Raw("default") != nil {
			values.Set(p.Key, property.Raw("default"))
		}
	}
	if len(values) == before {
		return params.OrObject()
	}
	return values.JSON()
}

type compiled struct {
	schema *jsonschema.Schema
	names  []string // of the parameters
}

// Every create_flow_run of a deployment validates by the same schema.
var cache = struct {
	sync.Mutex
	m map[[33]byte]*compiled
}{m: map[[33]byte]*compiled{}}

const cacheSize = 256

type noLoader struct{}

// Load refuses: a schema that a client sends must not read files or call hosts.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("it refers to %s; only references within the schema are allowed", strings.TrimPrefix(url, "file://"))
}

func compile(schemaJSON core.JSON, requireAll bool) (*compiled, error) {
	var key [33]byte
	sum := sha256.Sum256(schemaJSON)
	copy(key[:], sum[:])
	if requireAll {
		key[32] = 1
	}
	cache.Lock()
	c := cache.m[key]
	cache.Unlock()
	if c != nil {
		return c, nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return nil, err
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("it must be an object")
	}
	fixUp(root, !requireAll, true)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource("parameters.json", root); err != nil {
		return nil, err
	}
	s, err := compiler.Compile("parameters.json")
	if err != nil {
		return nil, err
	}
	c = &compiled{schema: s}
	properties, _ := root["properties"].(map[string]any)
	for name := range properties {
		c.names = append(c.names, name)
	}
	sort.Strings(c.names)
	cache.Lock()
	if len(cache.m) >= cacheSize {
		clear(cache.m)
	}
	cache.m[key] = c
	cache.Unlock()
	return c, nil
}

// fixUp brings a schema that pydantic wrote to draft 2020-12 and to what the
// API promises: optional properties take null, tuples say prefixItems, and the
// root's required is dropped where parameters may be partial.
func fixUp(node any, dropRequired, top bool) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			fixUp(v, false, false)
		}
	case map[string]any:
		if items, ok := n["items"].([]any); ok {
			n["prefixItems"] = items
			delete(n, "items")
		}
		required := map[string]bool{}
		list, _ := n["required"].([]any)
		for _, name := range list {
			if s, ok := name.(string); ok {
				required[s] = true
			}
		}
		if top && dropRequired {
			delete(n, "required")
		}
		if top {
			delete(n, "$schema")
			delete(n, "$id")
		}
		for key, v := range n {
			if key != "default" && key != "enum" && key != "const" && key != "examples" {
				fixUp(v, false, false)
			}
		}
		properties, _ := n["properties"].(map[string]any)
		for name, v := range properties {
			property, ok := v.(map[string]any)
			if ok && len(property) > 0 && !required[name] {
				properties[name] = map[string]any{"anyOf": []any{property, map[string]any{"type": "null"}}}
			}
		}
	}
}
