package views

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views/form"
)

// VariablesView is the list of variables and that of secrets.
type VariablesView struct {
	Variables    []*core.Variable
	Paging       Paging
	Secrets      []*core.BlockDocument
	SecretPaging Paging
	Q, Tag       string
}

// VariableForm makes or changes a variable.
type VariableForm struct {
	Variable *core.Variable // nil for a new one
	Fields   []form.Field
	AsJSON   bool
	Problem  string // an error that belongs to no field

	StoredAsJSON bool // the value that is stored is not text
}

func (f VariableForm) path() string {
	if f.Variable == nil {
		return "/variables/new"
	}
	return "/variables/" + f.Variable.ID.String()
}

func (f VariableForm) title() string {
	if f.Variable == nil {
		return "New variable"
	}
	return f.Variable.Name
}

// SecretForm sets or replaces a secret, whose value it does not have.
type SecretForm struct {
	Secret  *core.BlockDocument // nil for a new one
	Fields  []form.Field
	AsJSON  bool
	Problem string
}

func (f SecretForm) path() string {
	if f.Secret == nil {
		return "/secrets/new"
	}
	return "/secrets/" + f.Secret.ID.String()
}

func (f SecretForm) title() string {
	if f.Secret == nil {
		return "New secret"
	}
	return f.Secret.Name
}

func goSecret(name string) string { return `value, err := flowlite.Secret(ctx, "` + name + `")` }

func pySecret(name string) string { return `Secret.load("` + name + `").get()` }

// valueOf is a variable's value as JSON; null is stored as nothing.
func valueOf(v *core.Variable) string {
	if v.Value.IsNull() {
		return "null"
	}
	return string(v.Value)
}

// goVariable reads a variable as the type that its value has now.
func goVariable(v *core.Variable) string {
	kind := "any"
	var x any
	if core.Unmarshal(v.Value, &x) == nil {
		switch x.(type) {
		case string:
			kind = "string"
		case bool:
			kind = "bool"
		case json.Number:
			kind = "float64"
			if !strings.ContainsAny(string(v.Value), ".eE") {
				kind = "int64"
			}
		case []any:
			kind = "[]any"
		case map[string]any:
			kind = "map[string]any"
		}
	}
	return `value, err := flowlite.Variable[` + kind + `](ctx, "` + v.Name + `")`
}

func pyVariable(v *core.Variable) string { return `Variable.get("` + v.Name + `")` }

// cut is the beginning of a long text.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

const maskedText = core.MaskedSecret

func escQuery(s string) string { return url.QueryEscape(s) }
