package form

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	Plain          bool // shown as text: the control of its kind cannot show the value
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
	Touched        bool // what was posted is not what the field shows; Post sets it
	Outdated       bool // what the field shows has changed since the form was opened
	Fields         []Field

	enum   []core.JSON
	stored core.JSON // as it is written; nil if there is none
	def    core.JSON // the default as it is written
	items  []core.JSON
	shown  []string // of a list, before the post
	digest string   // of what the field shows, before the post
}

// maxDepth is how deep objects open into fields of their own; below it, and
// for types that contain themselves, there is a JSON field.
const maxDepth = 4

// Build lists the fields of an object schema, in the order of their definition.
// Defaults win over the schema's own; values are what is stored. Times are
// shown in loc.
func Build(schema []byte, defaults, values core.JSON, loc *time.Location) ([]Field, error) {
	s, err := Parse(schema)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	s = s.resolve(s)
	b := builder{root: s, loc: loc}
	return b.fields(s, "", defaults, values, 0), nil
}

type builder struct {
	root Schema
	loc  *time.Location
}

func (b builder) fields(s Schema, prefix string, defaults, values core.JSON, depth int) []Field {
	given, _ := defaults.Object()
	stored, _ := values.Object()
	out := make([]Field, 0, len(s.Properties))
	for _, property := range s.Properties {
		k := property.Name
		p, null := property.resolve(b.root).optional(b.root)
		f := Field{
			Name: k, Path: prefix + segment(k), Title: cmp.Or(p.Title, strings.ReplaceAll(k, "_", " ")), Desc: p.Description,
			Nullable: null, TrueLabel: cmp.Or(p.TrueLabel, "True"), FalseLabel: cmp.Or(p.FalseLabel, "False"),
		}
		f.bounds(p)
		f.ID = "f-" + strings.Map(idRune, f.Path)
		f.stored, f.def = stored.Raw(k), p.Default
		if v := given.Raw(k); v != nil {
			f.def = v
		}
		f.HasDefault = f.def != nil
		f.Required = slices.Contains(s.Required, k) && !f.HasDefault
		f.Secret = p.Format == "password"
		b.shape(&f, p, depth)
		if f.HasDefault {
			f.Default, _ = b.text(&f, f.Kind, f.def)
			if f.def.IsNull() {
				f.Default = "null"
			}
		}
		b.show(&f, p, depth)
		out = append(out, f)
	}
	return out
}

// show fills the control with what is stored, or else with the default. Where
// the control of the kind cannot show the value, the field becomes one that can.
func (b builder) show(f *Field, p Schema, depth int) {
	cur := f.stored
	if cur == nil {
		cur = f.def
	}
	f.IsNull = f.Nullable && cur.IsNull()
	switch f.Kind {
	case Object:
		if _, err := cur.Object(); err != nil {
			b.showJSON(f, cur)
			return
		}
		f.Fields = b.fields(p, f.Path+".", nil, cur, depth+1)
		return
	case List:
		if cur.IsNull() {
			return
		}
		items, err := cur.List()
		for _, item := range items {
			text, ok := b.text(f, f.Item, item)
			if !ok || item.IsNull() {
				err = errNotShown
			}
			f.Values = append(f.Values, text)
		}
		if f.items = items; err != nil {
			b.showJSON(f, cur)
		}
		return
	case Enum:
		if text, ok := b.text(f, Enum, cur); !cur.IsNull() && !ok { // stored before it was struck off the list
			f.Enum, f.enum = append(f.Enum, text), append(f.enum, cur)
		}
	}
	if cur.IsNull() {
		return
	}
	text, ok := b.text(f, f.Kind, cur)
	if f.Value = text; !ok {
		b.showJSON(f, cur)
		return
	}
	switch f.Kind {
	case Integer, Number:
		f.Plain = !plainNumber.MatchString(text)
	case DateTime:
		f.Plain = !plainTime.MatchString(text)
	case Date:
		_, err := time.Parse(time.DateOnly, text)
		f.Plain = err != nil
	}
}

var errNotShown = errors.New("cannot be shown as a list")

// What Chromium's controls for numbers and times show to the last digit.
var (
	plainNumber = regexp.MustCompile(`^-?\d{1,15}(\.\d{1,15})?$`)
	plainTime   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)
)

// showJSON shows the value as JSON.
func (b builder) showJSON(f *Field, v core.JSON) {
	f.Kind, f.Shape, f.TypeHint, f.Values, f.items = JSON, "", "as JSON", nil, nil
	f.Value, _ = b.text(f, JSON, v)
}

// segment is a name as part of a path: without dots, which part names, and
// without what browsers change in the name of a control.
func segment(name string) string {
	if name == "null" {
		return "%6Eull"
	}
	var out strings.Builder
	for _, r := range name {
		if r == '.' || r == '%' || r < ' ' || r == utf8.RuneError {
			fmt.Fprintf(&out, "%%%02X", r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// bounds takes a schema's constraints over.
func (f *Field) bounds(p Schema) {
	f.Min, f.Max, f.Above, f.Below, f.MultipleOf = string(p.Minimum), string(p.Maximum), string(p.Above), string(p.Below), string(p.MultipleOf)
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
	if !p.Const.IsNull() {
		p.Enum = []core.JSON{p.Const}
	}
	array, object := p.Type.is("array"), p.Type.is("object")
	switch {
	case len(p.Enum) > 0:
		f.Kind = Enum
		for _, e := range p.Enum {
			text := enumText(e)
			if slices.Contains(f.Enum, text) { // such as 1 and "1"
				text = string(e)
			}
			f.enum, f.Enum = append(f.enum, e), append(f.Enum, text)
		}
		f.TypeHint = "one of " + strconv.Itoa(len(f.Enum))
	case array && p.Items != nil:
		item, null := p.Items.resolve(b.root).optional(b.root)
		g := Field{}
		b.shape(&g, item, maxDepth)
		if f.Kind, f.Item, f.enum, f.Enum = List, g.Kind, g.enum, g.Enum; g.Kind == JSON || g.Kind == List || null {
			f.Kind, f.Shape, f.TypeHint = JSON, "array", "list, as JSON"
			break
		}
		items := f.MinItems
		f.bounds(item) // what is typed are items
		f.MinItems, f.MaxItems, f.Unique = items, core.Deref(p.MaxItems), p.UniqueItems
		f.TypeHint = "list of " + string(g.Kind)
	case object && len(p.Properties) > 0 && depth < maxDepth && !f.Nullable:
		f.Kind, f.TypeHint = Object, "object"
	default:
		f.Kind = scalar(p)
		f.TypeHint = map[Kind]string{Text: "string", DateTime: "date-time"}[f.Kind]
		f.TypeHint = cmp.Or(f.TypeHint, string(f.Kind))
		if f.Kind == JSON && (array || object) {
			f.Shape = p.Type[0]
			f.TypeHint = map[string]string{"array": "list, as JSON", "object": "object, as JSON"}[f.Shape]
		}
	}
	if lo, hi := cmp.Or(f.Min, f.Above), cmp.Or(f.Max, f.Below); (lo != "" || hi != "") && f.Kind != JSON {
		f.TypeHint += fmt.Sprintf(" · %s–%s", cmp.Or(lo, "−∞"), cmp.Or(hi, "∞"))
	}
	if f.Nullable {
		f.TypeHint += " · or null"
	}
}

func scalar(p Schema) Kind {
	text := p.Type.is("string")
	switch {
	case p.Type.is("boolean"), p.Type.is("integer"), p.Type.is("number"):
		return Kind(p.Type[0])
	case text && p.Format == "date-time":
		return DateTime
	case text && p.Format == "date":
		return Date
	case text && (p.Format == "textarea" || p.Format == "password" || // a key has lines, which an input drops
		core.Deref(p.MaxLength) > 120):
		return Text
	case text:
		return String
	}
	return JSON
}

// text is how a value reads in the control of a kind; false if that control is
// not for such values. Null reads as nothing.
func (b builder) text(f *Field, k Kind, v core.JSON) (text string, ok bool) {
	if v.IsNull() && k != JSON {
		return "", true
	}
	switch k {
	case Integer, Number:
		first := v[0]
		return string(v), first == '-' || first >= '0' && first <= '9'
	case Boolean:
		return string(v), string(v) == "true" || string(v) == "false"
	case Enum:
		for i, e := range f.enum {
			if sameValue(e, v) {
				return f.Enum[i], true
			}
		}
		return enumText(v), false
	case JSON, List, Object:
		return pretty(v), true
	}
	ok = json.Unmarshal(v, &text) == nil
	if t, err := core.ParseTime(text); ok && k == DateTime && err == nil {
		text = t.Time().In(b.loc).Format("2006-01-02T15:04:05")
	}
	return text, ok
}

// enumText is a value as a list of choices shows it.
func enumText(v core.JSON) string {
	var text string
	if json.Unmarshal(v, &text) == nil && !v.IsNull() {
		return text
	}
	return pretty(v)
}

func sameValue(a, b core.JSON) bool {
	x, err := a.Decode()
	y, err2 := b.Decode()
	return err == nil && err2 == nil && reflect.DeepEqual(x, y)
}

// pretty is JSON on lines, with the order of its keys and every digit of a number.
func pretty(j core.JSON) string {
	var b bytes.Buffer
	if json.Indent(&b, j, "", "  ") != nil {
		return string(j)
	}
	return b.String()
}

func idRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
		return r
	}
	return '-'
}
