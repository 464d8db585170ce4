package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
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
		for i := range t.NumField() {
			key := t.Field(i).Tag.Get("yaml")
			keys[key], known = t.Field(i).Type, append(known, key)
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, ok := keys[key.Value]
			if key.Value == "<<" {
				field, ok = t, true
			}
			if !ok {
				f := &failure{code: exitUsage, what: fmt.Sprintf("line %d: unknown key %s", key.Line, key.Value), hint: "it has " + strings.Join(known, ", ")}
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
	yamlMismatch = regexp.MustCompile("cannot unmarshal !!\\w+(?: `([^`]*)`)? into (\\S+(?: \\{\\})?)")
	yamlWords    = map[string]string{"string": "text", "[]string": "a list of texts", "bool": "true or false", "*bool": "true or false",
		"main.poolSpec": "a mapping, like {name: default}", "[]main.deploySpec": "a list of deployments"}
)

// yamlTypes says in YAML's words what a decoder says in Go's.
func yamlTypes(text string) string {
	return yamlMismatch.ReplaceAllStringFunc(text, func(s string) string {
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
