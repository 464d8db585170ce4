package data

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// variables lists variables, and secrets below them.
func (u *UI) variables(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Variables & secrets", "variables")
	if err != nil {
		return err
	}
	ctx, q := r.Context(), r.URL.Query()
	d := views.VariablesView{Q: strings.TrimSpace(q.Get("q")), Tag: q.Get("tag")}
	f := &core.VariableFilter{Name: page.Like(d.Q)}
	if d.Tag != "" {
		f.Tags = &core.TagFilter{All: []string{d.Tag}}
	}
	var pg core.Page
	d.Paging, pg = page.Paged(r, "/variables", "page")
	if d.Variables, err = u.Store.Variables(ctx, f, pg); err != nil {
		return err
	}
	d.Variables = page.OnPage(&d.Paging, d.Variables)
	if err := u.readSecrets(r, &d); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.VariablesBody(p, d))
	}
	return u.Send(w, r, views.VariablesPage(p, d))
}

// variable is the form of a variable; "new" has none yet.
func (u *UI) variable(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.variableForm(w, r, nil)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.VariablePage(p, f))
}

func (u *UI) variableForm(w http.ResponseWriter, r *http.Request, typed url.Values) (p views.Page, f views.VariableForm, err error) {
	text, tags, title := "", "", "New variable"
	f.AsJSON = typed.Get("as") == "json"
	if r.PathValue("id") != "new" {
		id, err := page.PathID(r, "Variable")
		if err != nil {
			return p, f, err
		}
		if f.Variable, err = u.Store.Variable(r.Context(), id); err != nil {
			return p, f, err
		}
		title, tags = f.Variable.Name, page.TagText(f.Variable.Tags)
		if f.Variable.Value.IsNull() {
			text, f.StoredAsJSON = "null", true
		} else if json.Unmarshal(f.Variable.Value, &text) != nil {
			text, f.StoredAsJSON = page.Pretty(f.Variable.Value), true
		}
		f.AsJSON = f.AsJSON || typed == nil && f.StoredAsJSON
	}
	if p, err = u.Page(w, r, title, "variables"); err != nil {
		return p, f, err
	}
	name := ""
	if f.Variable != nil {
		name = f.Variable.Name
	}
	f.Fields = page.Fill("f-", []form.Field{
		{
			Name:     "name",
			Title:    "Name",
			Kind:     form.String,
			Required: true,
			Value:    name,
			Desc:     "Lower-case letters, digits, - and _. Flows read the variable by it.",
		},
		{
			Name:  "value",
			Title: "Value",
			Kind:  form.JSON,
			Value: text,
			Desc:  "At most 5,000 bytes. Anybody who can open this page can read it: keep passwords in a secret.",
		},
		{Name: "tags", Title: "Tags", Kind: form.String, Value: tags, Desc: "Separated by commas, or a JSON list."},
	}, typed)
	return p, f, nil
}

// valueOf reads a value that was typed as text or as JSON.
func valueOf(typed *form.Field, asJSON bool) core.JSON {
	if !asJSON {
		return core.ToJSON(typed.Value)
	}
	if _, err := core.JSON(typed.Value).Decode(); err != nil {
		typed.Error = "This is not JSON: " + err.Error() + ". Correct it, or choose text."
	}
	return core.JSON(page.Word(typed))
}

// newValue is the value that the form asks for, unset if that is what is shown
// and read as it is stored.
func newValue(f views.VariableForm, value core.JSON) core.Opt[core.JSON] {
	if !f.Fields[1].Touched && f.AsJSON == f.StoredAsJSON {
		return core.Opt[core.JSON]{}
	}
	return core.Some(value)
}

func (u *UI) saveVariable(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.variableForm(w, r, r.PostForm)
	if err != nil {
		return err
	}
	if f.Fields[0].Touched {
		f.Fields[0].Value = page.Word(&f.Fields[0])
	}
	name, value, tags := f.Fields[0].Value, valueOf(&f.Fields[1], f.AsJSON), page.TagsOf(f.Fields[2].Value)
	if len(form.Errors(f.Fields)) == 0 {
		word := "changed"
		if f.Variable == nil {
			word = "made"
			_, err = u.Variables.CreateVariable(r.Context(), core.VariableCreate{Name: name, Value: core.Some(value), Tags: tags})
		} else {
			err = u.Variables.UpdateVariable(r.Context(), f.Variable.ID, core.VariableUpdate{
				Name: page.Changed(&f.Fields[0], name), Value: newValue(f, value), Tags: page.Changed(&f.Fields[2], tags)})
		}
		if err == nil {
			u.Flash(w, "Variable "+name+" "+word+".")
			return u.Redirect(w, r, "/variables")
		}
		if f.Problem, err = page.Refused(f.Fields, err); err != nil {
			return err
		}
	}
	return u.Again(w, r, views.VariableFormC(f), views.VariablePage(p, f))
}

func (u *UI) deleteVariable(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Variable")
	if err != nil {
		return err
	}
	v, err := u.Store.Variable(r.Context(), id)
	if err != nil {
		return err
	}
	if err := u.Variables.DeleteVariable(r.Context(), id); err != nil {
		return err
	}
	u.Flash(w, "Variable "+v.Name+" deleted.")
	return u.Redirect(w, r, "/variables")
}
