package api

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// wireJSON holds what each operation of Prefect reads: the names, types, and
// bounds of its body and query. testdata/wire/plan.py writes it.
//
//go:embed wire.json
var wireJSON []byte

// wire is the type of one JSON value, as pydantic knows it.
type wire struct {
	Type, Ref string
	Key       string // of a field: its name
	Tag       string // of a choice: its part of a location
	Null      bool   // the value may be null
	Required  bool   // the field must be there
	Strict    bool   // no conversion from other JSON types
	Name      string // of a model
	Extra     string // of a model: forbid, ignore, or allow
	By        string // of a tagged union: the field that tells
	Pattern   string
	Fields    []*wire
	Choices   []*wire
	Items     *wire
	Values    []any
	Gt, Ge    *float64
	Lt, Le    *float64
	Min       *int `json:"min_length"`
	Max       *int `json:"max_length"`

	ours    map[string]bool // of a model: keys of our structs that Prefect does not have
	pattern *regexp.Regexp
}

// plan is what one operation reads.
type plan struct {
	Embed         bool // the body is an object of parameters
	Fields, Query []*wire

	body *wire // nil if the operation has none
}

type wirePlans struct {
	Operations map[string]*plan
	Models     map[string]*wire
}

var plans = sync.OnceValue(func() *wirePlans {
	p := &wirePlans{}
	if err := json.Unmarshal(wireJSON, p); err != nil {
		panic("wire.json: " + err.Error())
	}
	for name, m := range p.Models {
		m.ours = map[string]bool{}
		if name == "FlowRunPolicy" {
			m.widen()
		}
		p.link(m)
	}
	byShape := map[string]*plan{}
	for op, o := range p.Operations {
		for i := range o.Fields {
			o.Fields[i] = p.link(o.Fields[i])
		}
		for i := range o.Query {
			o.Query[i] = p.link(o.Query[i])
		}
		switch {
		case o.Embed:
			o.body = &wire{Type: "parameters", Extra: "ignore", Fields: o.Fields, ours: map[string]bool{}}
		case len(o.Fields) == 1:
			o.body = o.Fields[0]
		}
		byShape[shapeOf(op)] = o
	}
	p.Operations = byShape
	return p
})

// widen takes a fraction as the delay of a flow's retries. Prefect refuses it,
// and @flow(retry_delay_seconds=0.1) crashes there.
func (w *wire) widen() {
	if _, f := w.fieldOf([]byte("retry_delay")); f != nil {
		f.Type = "float"
	}
}

// link puts the models in the place of their names, below w and in w's own place.
func (p *wirePlans) link(w *wire) *wire {
	if w == nil {
		return nil
	}
	if w.Ref != "" {
		m := *p.Models[w.Ref]
		m.Key, m.Tag, m.Null, m.Required = w.Key, w.Tag, w.Null, w.Required
		// The fields are shared: models may hold each other.
		m.Ref = ""
		m.Fields = nil
		m.Items = p.Models[w.Ref]
		m.Type = "ref"
		return &m
	}
	for i := range w.Fields {
		w.Fields[i] = p.link(w.Fields[i])
	}
	for i := range w.Choices {
		w.Choices[i] = p.link(w.Choices[i])
	}
	w.Items = p.link(w.Items)
	if w.Pattern != "" {
		w.pattern = regexp.MustCompile(w.Pattern)
	}
	return w
}

// model is w itself, or the model that it stands for.
func (w *wire) model() *wire {
	if w.Type == "ref" {
		return w.Items
	}
	return w
}

var pathNames = regexp.MustCompile(`\{[^}]*\}`)

// shapeOf is an operation without the names of its path's parts.
func shapeOf(op string) string {
	return pathNames.ReplaceAllString(strings.ReplaceAll(op, "{$}", ""), "{}")
}

// knows notes the keys that t has beyond Prefect's: they are not refused.
func (w *wire) knows(t reflect.Type, seen map[*wire]reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Implements(optType) {
		f, _ := t.FieldByName("V")
		w.knows(f.Type, seen)
		return
	}
	w = w.model()
	switch w.Type {
	case "model", "parameters":
		if t.Kind() != reflect.Struct || seen[w] == t {
			return
		}
		seen[w] = t
		fields := map[string]reflect.Type{}
		jsonFields(t, fields)
		for _, f := range w.Fields {
			if ft, ok := fields[f.Key]; ok {
				f.knows(ft, seen)
			}
			delete(fields, f.Key)
		}
		for key := range fields {
			if !w.ours[key] { // servers that begin later only read
				w.ours[key] = true
			}
		}
	case "list", "set", "dict":
		if k := t.Kind(); k == reflect.Slice && t != rawType || k == reflect.Map {
			w.Items.knows(t.Elem(), seen)
		}
	case "union":
		for _, c := range w.Choices {
			c.knows(t, seen)
		}
	}
}

// planFor is what Prefect's operation of that method and path reads, told which
// keys t has beyond it; nil if Prefect has no such operation.
func planFor(method, path string, t reflect.Type) *plan {
	p := plans().Operations[shapeOf(method+" "+path)]
	if p == nil || p.body == nil || t == nil {
		return p
	}
	if reflect.PointerTo(t).Implements(batchedType) {
		t = t.Field(0).Type // the items
	}
	learning.Lock()
	defer learning.Unlock()
	p.body.knows(t, map[*wire]reflect.Type{})
	return p
}

var (
	learning    sync.Mutex // of the keys that are ours
	batchedType = reflect.TypeFor[batched]()
)

// of is the plan of a body; nil if there is none.
func (p *plan) of() *wire {
	if p == nil {
		return nil
	}
	return p.body
}

// parameter is a parameter of the query that is one value; nil if there is none.
func (p *plan) parameter(name string) *wire {
	if p == nil {
		return nil
	}
	for _, f := range p.Query {
		if f.Key == name && f.Type != "list" {
			return f
		}
	}
	return nil
}

// sure reports whether there is nothing to convert in body, nor to refuse.
func (w *wire) sure(body []byte) bool {
	if w == nil {
		return true
	}
	end, ok := w.scan(body, 0)
	return ok && blank(body, end) == len(body)
}

// strictly returns body in the form that our structs decode, or what is wrong with it.
func (w *wire) strictly(c *call, body []byte) ([]byte, error) {
	if w.sure(body) {
		return body, nil
	}
	if !json.Valid(body) {
		return body, nil // the decoder says where
	}
	var r reader
	if c.r != nil {
		r.nullIsAbsent = isGo(c.r)
		r.lenient = r.nullIsAbsent || isPrefect38(c.r) || strings.HasPrefix(c.r.UserAgent(), "flowlite")
	}
	body = r.read(w, body, []any{"body"})
	return body, r.err()
}

// isGo reports whether a client is a Go program that gives itself no name, such as
// flowlite's own up to the first release.
func isGo(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "Go-http-client/") }

// fieldOf is the field of a model with that name; nil if it has none.
func (w *wire) fieldOf(key []byte) (int, *wire) {
	for i, f := range w.Fields {
		if f.Key == string(key) {
			return i, f
		}
	}
	return -1, nil
}
