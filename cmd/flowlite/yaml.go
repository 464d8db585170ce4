package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flowlite/flowlite/runtime/core"
)

// unknownKey is the first key of a document that its type does not have, and
// what may have been meant.
func unknownKey(n *yaml.Node, t reflect.Type) *failure { return unknownIn(n, t, 0) }

func unknownIn(n *yaml.Node, t reflect.Type, depth int) *failure {
	if depth > 100 { // an alias within itself: the decoder says so
		return nil
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.DocumentNode || n.Kind == yaml.SequenceNode:
		if n.Kind == yaml.SequenceNode {
			if t.Kind() != reflect.Slice {
				return nil
			}
			t = t.Elem()
		}
		for _, child := range n.Content {
			if f := unknownIn(child, t, depth+1); f != nil {
				return f
			}
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		keys := map[string]reflect.Type{}
		var known []string
		for field := range t.Fields() {
			key := field.Tag.Get("yaml")
			keys[key], known = field.Type, append(known, key)
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, ok := keys[key.Value]
			if key.Value == "<<" {
				field, ok = t, true
			}
			if !ok {
				f := &failure{
					code: exitUsage,
					what: fmt.Sprintf("line %d: unknown key %s", key.Line, key.Value),
					hint: "it has " + strings.Join(known, ", "),
				}
				if near := nearest(key.Value, known); near != "" {
					f.hint = "did you mean " + near + "?"
				}
				return f
			}
			if f := unknownIn(n.Content[i+1], field, depth+1); f != nil {
				return f
			}
		}
	}
	return nil
}

var (
	yamlBegin    = regexp.MustCompile(`^yaml: (?:\w+ errors:)?\s*`)
	yamlMismatch = regexp.MustCompile("cannot (?:unmarshal|construct) !!\\w+(?: `([^`]*)`)? into (\\S+(?: \\{\\})?)")
	yamlWords    = map[string]string{"string": "text", "[]string": "a list of texts", "bool": "true or false", "*bool": "true or false",
		"main.poolSpec": "a mapping, like {name: default}", "[]main.deploySpec": "a list of deployments"}
)

// yamlTypes says in YAML's words what a decoder says in Go's.
func yamlTypes(text string) string {
	return yamlMismatch.ReplaceAllStringFunc(yamlBegin.ReplaceAllString(text, ""), func(s string) string {
		m := yamlMismatch.FindStringSubmatch(s)
		want, ok := yamlWords[m[2]]
		switch {
		case ok:
		case strings.HasPrefix(m[2], "[]"):
			want = "a list"
		default:
			want = "a mapping"
		}
		if m[1] == "" {
			return "this must be " + want
		}
		return fmt.Sprintf("%q must be %s", m[1], want)
	})
}

// yamlJSON is a mapping of a YAML file as JSON. Keys keep their order, numbers
// their digits, and dates the text that is written.
type yamlJSON core.JSON

func (y *yamlJSON) UnmarshalYAML(n *yaml.Node) error {
	v, err := yamlValue(n, 0)
	if err != nil {
		return err
	}
	if _, ok := v.(core.Object); !ok && v != nil {
		return fmt.Errorf("line %d: cannot unmarshal %s into map[string]any", n.Line, n.ShortTag())
	}
	*y = nil
	if v != nil {
		*y = yamlJSON(core.Encode(v))
	}
	return nil
}

// object reads the mapping; it is valid, so there is no error.
func (y yamlJSON) object() core.Object {
	o, _ := core.JSON(y).Object()
	return o
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`)

func yamlValue(n *yaml.Node, depth int) (any, error) {
	if depth > 100 {
		return nil, fmt.Errorf("line %d: this is nested more than 100 deep", n.Line)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return nil, nil
		}
		return yamlValue(n.Content[0], depth+1)
	case yaml.AliasNode:
		return yamlValue(n.Alias, depth+1)
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := yamlValue(c, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case yaml.MappingNode:
		return yamlMapping(n, depth)
	}
	var err error
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		var v bool
		err = n.Decode(&v)
		return v, err
	case "!!int", "!!float":
		if jsonNumber.MatchString(n.Value) {
			return core.JSON(n.Value), nil
		}
		if tag == "!!int" { // such as 0x1F
			var v int64
			err = n.Decode(&v)
			return v, err
		}
		var v float64
		if err = n.Decode(&v); err == nil && v-v != 0 {
			err = fmt.Errorf("line %d: %s is not a number that JSON has; write it as text", n.Line, n.Value)
		}
		return v, err
	}
	return n.Value, nil
}

func yamlMapping(n *yaml.Node, depth int) (any, error) {
	out, merged := core.Object{}, core.Object{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		v, err := yamlValue(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		key := n.Content[i]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a key is text", key.Line)
		}
		if key.ShortTag() != "!!merge" {
			out.Set(key.Value, v)
			continue
		}
		from, many := v.([]any)
		if !many {
			from = []any{v}
		}
		for _, x := range from {
			o, _ := x.(core.Object)
			for _, m := range o {
				if _, has := merged.Get(m.Key); !has { // the first one wins
					merged.Set(m.Key, m.Value)
				}
			}
		}
	}
	for _, m := range merged {
		if _, has := out.Get(m.Key); !has {
			out.Set(m.Key, m.Value)
		}
	}
	return out, nil
}
