package form

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Kind is what a field looks like.
type Kind string

const (
	String   Kind = "string"
	Text     Kind = "text"
	Integer  Kind = "integer"
	Number   Kind = "number"
	Boolean  Kind = "boolean"
	Enum     Kind = "enum"
	DateTime Kind = "datetime"
	Date     Kind = "date"
	List     Kind = "list"
	Object   Kind = "object"
	JSON     Kind = "json" // whatever has no better field
)

// Field is one control of a form, with what was typed and what is wrong with it.
type Field struct {
	Name, Path, ID string
	Title, Desc    string
	Kind           Kind
	Item           Kind // of a list
	TypeHint       string
	Required       bool
	Secret         bool // what is typed is not for those who look on
	Nullable       bool
	IsNull         bool
	HasDefault     bool
	Default        string
	Value          string
	Values         []string
	Enum           []string
	Min, Max       string
	Above, Below   string // bounds that are not reached
	MultipleOf     string
	MinItems       int
	MaxItems       int
	Unique         bool   // items of a list
	Shape          string // of a JSON field: array, object, or empty for any value
	MinLen, MaxLen int
	Pattern        string
	TrueLabel      string
	FalseLabel     string
	Error          string
	Fields         []Field

	enum []any
}

// maxDepth is how deep objects open into fields of their own; below it, and
// for types that contain themselves, there is a JSON field.
const maxDepth = 4

// Build lists the fields of an object schema. Defaults win over the schema's
// own; values are what the fields show at first. Times are shown in loc.
func Build(schema []byte, defaults, values core.JSON, loc *time.Location) ([]Field, error) {
	s, err := Parse(schema)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	s = s.resolve(s)
	b := builder{root: s, loc: loc}
	return b.fields(s, "", defaults.Map(), values.Map(), 0), nil
}

type builder struct {
	root Schema
	loc  *time.Location
}

func (b builder) fields(s Schema, prefix string, defaults, values map[string]any, depth int) []Field {
	names := make([]string, 0, len(s.Properties))
	for k := range s.Properties {
		names = append(names, k)
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(cmp.Compare(s.Properties[x].Position, s.Properties[y].Position), cmp.Compare(x, y))
	})
	out := make([]Field, 0, len(names))
	for _, k := range names {
		p, null := s.Properties[k].resolve(b.root).optional(b.root)
		f := Field{
			Name: k, Path: prefix + k, Title: cmp.Or(p.Title, strings.ReplaceAll(k, "_", " ")), Desc: p.Description,
			Nullable: null, TrueLabel: cmp.Or(p.TrueLabel, "True"), FalseLabel: cmp.Or(p.FalseLabel, "False"),
		}
		f.bounds(p)
		f.ID = "f-" + strings.Map(idRune, f.Path)
		var cur any
		if len(p.Default) > 0 {
			f.HasDefault = json.Unmarshal(p.Default, &cur) == nil
		}
		if v, ok := defaults[k]; ok {
			f.HasDefault, cur = true, v
		}
		f.Required = slices.Contains(s.Required, k) && !f.HasDefault
		b.shape(&f, p, depth)
		if f.HasDefault {
			f.Default = b.text(f.Kind, cur)
			if cur == nil {
				f.Default = "null"
			}
		}
		has := f.HasDefault
		if v, ok := values[k]; ok {
			cur, has = v, true
		}
		f.IsNull = f.Nullable && (!has || cur == nil)
		switch f.Kind {
		case Object:
			m, _ := cur.(map[string]any)
			d, _ := defaults[k].(map[string]any)
			f.Fields = b.fields(p, f.Path+".", d, m, depth+1)
		case List:
			a, _ := cur.([]any)
			for _, x := range a {
				f.Values = append(f.Values, b.text(f.Item, x))
			}
		default:
			if has && cur != nil {
				f.Value = b.text(f.Kind, cur)
			}
		}
		out = append(out, f)
	}
	return out
}

// bounds takes a schema's constraints over.
func (f *Field) bounds(p Schema) {
	f.Min, f.Max, f.Above, f.Below, f.MultipleOf = float(p.Minimum), float(p.Maximum), float(p.Above), float(p.Below), float(p.MultipleOf)
	f.Pattern, f.MinLen, f.MaxLen = p.Pattern, core.Deref(p.MinLength), core.Deref(p.MaxLength)
	f.MinItems, f.MaxItems, f.Unique = core.Deref(p.MinItems), core.Deref(p.MaxItems), p.UniqueItems
}

// Prefix puts the fields' controls under a name of their own, so that they
// can stand beside others in one form.
func Prefix(fs []Field, prefix string) {
	for i := range fs {
		f := &fs[i]
		f.Path = prefix + f.Path
		f.ID = "f-" + strings.Map(idRune, f.Path)
		Prefix(f.Fields, prefix)
	}
}

func (b builder) shape(f *Field, p Schema, depth int) {
	t, _ := p.Type.(string)
	if p.Const != nil {
		p.Enum = []any{p.Const}
	}
	switch {
	case len(p.Enum) > 0:
		f.Kind, f.enum = Enum, p.Enum
		for _, e := range p.Enum {
			f.Enum = append(f.Enum, b.text(Enum, e))
		}
		f.TypeHint = "one of " + strconv.Itoa(len(f.Enum))
	case t == "array" && p.Items != nil:
		item, null := p.Items.resolve(b.root).optional(b.root)
		g := Field{}
		b.shape(&g, item, maxDepth)
		if f.Kind, f.Item, f.enum = List, g.Kind, g.enum; g.Kind == JSON || g.Kind == List || null {
			f.Kind, f.Shape, f.TypeHint = JSON, "array", "list, as JSON"
			break
		}
		items := f.MinItems
		f.bounds(item) // what is typed are items
		f.MinItems, f.MaxItems, f.Unique = items, core.Deref(p.MaxItems), p.UniqueItems
		f.TypeHint = "list of " + string(g.Kind)
	case t == "object" && len(p.Properties) > 0 && depth < maxDepth && !f.Nullable:
		f.Kind, f.TypeHint = Object, "object"
	default:
		f.Kind = scalar(t, p)
		f.TypeHint = map[Kind]string{Text: "string", DateTime: "date-time"}[f.Kind]
		f.TypeHint = cmp.Or(f.TypeHint, string(f.Kind))
		if f.Kind == JSON && (t == "array" || t == "object") {
			f.Shape, f.TypeHint = t, map[string]string{"array": "list, as JSON", "object": "object, as JSON"}[t]
		}
	}
	if lo, hi := cmp.Or(f.Min, f.Above), cmp.Or(f.Max, f.Below); (lo != "" || hi != "") && f.Kind != JSON {
		f.TypeHint += fmt.Sprintf(" · %s–%s", cmp.Or(lo, "−∞"), cmp.Or(hi, "∞"))
	}
	if f.Nullable {
		f.TypeHint += " · or null"
	}
}

func scalar(t string, p Schema) Kind {
	switch {
	case t == "boolean", t == "integer", t == "number":
		return Kind(t)
	case t == "string" && p.Format == "date-time":
		return DateTime
	case t == "string" && p.Format == "date":
		return Date
	case t == "string" && (p.Format == "textarea" || core.Deref(p.MaxLength) > 120):
		return Text
	case t == "string":
		return String
	}
	return JSON
}

// text is how a value reads in its control.
func (b builder) text(k Kind, v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		if k == DateTime {
			if t, err := core.ParseTime(x); err == nil {
				return t.Time().In(b.loc).Format("2006-01-02T15:04:05")
			}
		}
		if k == JSON {
			return string(core.ToJSON(x))
		}
		return x
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1e15 {
			return strconv.FormatInt(int64(x), 10)
		}
		return strconv.FormatFloat(x, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	}
	out, _ := json.MarshalIndent(v, "", "  ")
	return string(out)
}

func float(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}

func idRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
		return r
	}
	return '-'
}
