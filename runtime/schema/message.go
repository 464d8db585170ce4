package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

var english = message.NewPrinter(language.English)

func (c *compiled) check(value any) []core.FieldError {
	err := c.schema.Validate(value)
	if err == nil {
		return nil
	}
	failed, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []core.FieldError{{Type: "value_error", Loc: []any{"parameters"}, Msg: err.Error()}}
	}
	var out []core.FieldError
	for _, leaf := range leaves(failed) {
		out = append(out, c.explain(leaf, value)...)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Msg < out[j].Msg })
	for i := 1; i < len(out); i++ {
		if out[i].Msg == out[i-1].Msg {
			out = append(out[:i], out[i+1:]...)
			i--
		}
	}
	return out
}

// leaves are the errors that say something. Of alternatives, the null that an
// optional parameter allows is left out, types are joined into one error, and
// else the alternative counts that was followed the deepest.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
	default:
		for _, c := range e.Causes {
			all = append(all, leaves(c)...)
		}
		return all
	}
	types := &kind.Type{}
	var best []*jsonschema.ValidationError
	onlyTypes := true
	for _, c := range e.Causes {
		branch := leaves(c)
		if t, ok := branch[0].ErrorKind.(*kind.Type); ok && len(branch) == 1 && len(branch[0].InstanceLocation) == len(e.InstanceLocation) {
			types.Got = t.Got
			if len(t.Want) == 1 && t.Want[0] == "null" {
				continue
			}
			types.Want = append(types.Want, t.Want...)
			if best == nil {
				best = branch
			}
			continue
		}
		if onlyTypes || len(branch[0].InstanceLocation) > len(best[0].InstanceLocation) {
			best = branch
		}
		onlyTypes = false
	}
	if onlyTypes && len(types.Want) > 0 {
		return []*jsonschema.ValidationError{{SchemaURL: e.SchemaURL, InstanceLocation: e.InstanceLocation, ErrorKind: types}}
	}
	if best == nil {
		return []*jsonschema.ValidationError{e}
	}
	return best
}

func (c *compiled) explain(e *jsonschema.ValidationError, root any) []core.FieldError {
	at, input := locate(root, e.InstanceLocation)
	what := "parameter " + strconv.Quote(path(e.InstanceLocation))
	if len(e.InstanceLocation) == 0 {
		what = "the parameters"
	}
	one := func(typ, format string, args ...any) []core.FieldError {
		return []core.FieldError{{Type: typ, Loc: at, Msg: what + " " + fmt.Sprintf(format, args...), Input: input}}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		var want []string
		for _, w := range k.Want {
			if w != "null" || len(k.Want) == 1 {
				want = append(want, article(w))
			}
		}
		return one("type_error", "must be %s, got %s", strings.Join(want, " or "), short(input))
	case *kind.Required:
		return c.each(k.Missing, e.InstanceLocation, at, func(name string) (string, string) {
			return "missing", fmt.Sprintf("parameter %q is missing; it has no default, so give it a value", name)
		}, nil)
	case *kind.AdditionalProperties:
		return c.each(k.Properties, e.InstanceLocation, at, func(name string) (string, string) {
			msg := fmt.Sprintf("parameter %q is not known", name)
			if len(e.InstanceLocation) > 0 {
				return "extra_forbidden", msg
			}
			if near := closest(name[strings.LastIndexByte(name, '.')+1:], c.names); near != "" {
				msg += fmt.Sprintf("; did you mean %q?", near)
			} else if len(c.names) > 0 {
				msg += "; it takes " + strings.Join(c.names, ", ")
			} else {
				msg += "; the flow takes no parameters"
			}
			return "extra_forbidden", msg
		}, input)
	case *kind.Enum:
		var want []string
		for _, w := range k.Want {
			want = append(want, short(w))
		}
		return one("enum", "must be one of %s, got %s", strings.Join(want, ", "), short(input))
	case *kind.Const:
		return one("const", "must be %s, got %s", short(k.Want), short(input))
	case *kind.Minimum:
		return one("greater_than_equal", "must be at least %s, got %s", k.Want.RatString(), short(input))
	case *kind.Maximum:
		return one("less_than_equal", "must be at most %s, got %s", k.Want.RatString(), short(input))
	case *kind.MinLength:
		return one("string_too_short", "must have at least %d characters, got %d", k.Want, k.Got)
	case *kind.MaxLength:
		return one("string_too_long", "must have at most %d characters, got %d", k.Want, k.Got)
	case *kind.Pattern:
		return one("string_pattern_mismatch", "must match %s, got %s", k.Want, short(input))
	}
	return one("value_error", "is not valid: %s", e.ErrorKind.LocalizedString(english))
}

func (c *compiled) each(names, under []string, at []any, text func(name string) (typ, msg string), input any) []core.FieldError {
	var out []core.FieldError
	values, _ := input.(map[string]any)
	for _, name := range names {
		typ, msg := text(path(append(append([]string{}, under...), name)))
		out = append(out, core.FieldError{Type: typ, Loc: append(append([]any{}, at...), name), Msg: msg, Input: values[name]})
	}
	return out
}

// locate follows an instance path, with numbers where the value is a list.
func locate(v any, tokens []string) ([]any, any) {
	loc := []any{"parameters"}
	for _, t := range tokens {
		switch n := v.(type) {
		case []any:
			i, _ := strconv.Atoi(t)
			loc = append(loc, i)
			if v = nil; i < len(n) {
				v = n[i]
			}
		case map[string]any:
			loc, v = append(loc, t), n[t]
		}
	}
	return loc, v
}

func path(tokens []string) string { return strings.Join(tokens, ".") }

func article(t string) string {
	switch t {
	case "integer", "array", "object":
		return map[string]string{"integer": "an integer", "array": "a list", "object": "an object"}[t]
	case "null":
		return t
	}
	return "a " + t
}

func short(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(b) > 80 {
		return strings.ToValidUTF8(string(b[:80]), "") + "…"
	}
	return string(b)
}

// closest is the name at the smallest edit distance, if it is near enough to be a slip.
func closest(name string, names []string) string {
	best, least := "", max(2, len(name)/2)+1
	for _, n := range names {
		if d := levenshtein.ComputeDistance(
			strings.ToLower(name),
			strings.ToLower(n),
		); d < least && d < max(len(name), len(n)) ||
			d == least && best != "" && n < best {
			best, least = n, d
		}
	}
	return best
}
