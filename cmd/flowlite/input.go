package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
)

// readInput is JSON given as text, @file or - for standard input.
func (a *app) readInput(s string) (core.JSON, error) {
	b, err := a.readText(s)
	if err != nil {
		return nil, err
	}
	return jsonObject(b, s)
}

// readText returns what an argument says, or the file @NAME or the standard input
// (-) that it names.
func (a *app) readText(s string) ([]byte, error) {
	b := []byte(s)
	var err error
	switch {
	case s == "-":
		b, err = io.ReadAll(a.stdin)
	case strings.HasPrefix(s, "@"):
		b, err = os.ReadFile(s[1:])
	}
	if err != nil {
		return nil, badUsage("cannot read %s: %v", s, cause(err))
	}
	return b, nil
}

// cause is an error without the name of the file, which is said already.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// jsonObject checks that somebody's text is one; what names the text in an error.
func jsonObject(b []byte, what string) (core.JSON, error) {
	var v any
	if err := core.Unmarshal(b, &v); err != nil {
		return nil, badUsage("%s is not JSON: %v", what, err)
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, badUsage("%s is not a JSON object, like '{\"name\": \"value\"}'", what)
	}
	return b, nil
}

// pairs reads k=v texts into o. The schema, which may be null, says what the
// text of a value means.
func pairs(flag string, o *core.Object, kv []string, of core.JSON) error {
	for _, s := range kv {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return badUsage("%s: %q is not key=value", flag, s)
		}
		o.Set(k, schema.FromText(of, k, v))
	}
	return nil
}

func propertyType(schema core.JSON, key string) string {
	props, _ := schema.Map()["properties"].(map[string]any)
	p, _ := props[key].(map[string]any)
	t, _ := p["type"].(string)
	return t
}

// inputs are the parameters of a command: those of --params, and over them the
// single ones.
func (a *app) inputs(file string, param []string, of core.JSON) (params core.Object, err error) {
	if file != "" {
		j, err := a.readInput(file)
		if err != nil {
			return nil, err
		}
		if params, err = j.Object(); err != nil {
			return nil, badUsage("%s: %v", file, err)
		}
	}
	err = pairs("--param", &params, param, of)
	return params, err
}

// jobVariables are those of a command, as the pool's template understands them.
func jobVariables(o *core.Object, kv []string, pool *core.WorkPool) error {
	var of core.JSON
	if pool != nil {
		template, err := pool.BaseJobTemplate.Object()
		if err != nil {
			return err
		}
		of = template.Raw("variables")
	}
	return pairs("--job-variable", o, kv, of)
}
