package pool

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// editPool has the path /work-pools/{name}/edit: written so it would meet
// Prefect's /work-pools/work-pool/{name}.
func (u *UI) editPool(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("what") != "edit" {
		return page.NoPage()
	}
	p, f, err := u.openPoolForm(w, r)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.PoolEditPage(p, f))
}

func (u *UI) openPoolForm(w http.ResponseWriter, r *http.Request) (p views.Page, f views.PoolForm, err error) {
	if f.Pool, err = u.Store.WorkPoolByName(r.Context(), r.PathValue("name")); err != nil {
		return p, f, err
	}
	if p, err = u.Page(w, r, "Edit "+f.Pool.Name, "pools"); err != nil {
		return p, f, err
	}
	f.AsJSON = r.URL.Query().Get("input") == "json"
	f.Fields = page.Fill("p-", []form.Field{
		{Name: "description", Title: "Description", Kind: form.String, Value: core.Deref(f.Pool.Description)},
		{
			Name:  "limit",
			Title: "Runs at once",
			Kind:  form.Integer,
			Min:   "0",
			Desc:  "No limit if left empty.",
			Value: number(f.Pool.ConcurrencyLimit),
		},
	}, r.PostForm)
	if base := r.PostForm.Get("base"); json.Valid([]byte(base)) {
		f.Base, f.BaseOf = base, r.PostForm.Get("base_of")
	}
	f.Raw = rawTemplate(f)
	f.Vars, f.Defaults, err = jobVariables(template(f), p.Loc)
	if err != nil { // a schema that is no schema: as JSON it can be mended
		f.AsJSON, err = true, nil
	}
	return p, f, err
}

// template is what the form changes: the pool's, or what was made of that as JSON.
func template(f views.PoolForm) core.JSON {
	if f.Base != "" {
		return core.JSON(f.Base)
	}
	return f.Pool.BaseJobTemplate
}

// rawTemplate is the whole template as JSON text.
func rawTemplate(f views.PoolForm) form.Field {
	return form.Field{Name: "raw", Path: "raw", ID: "raw", Title: "Template", TypeHint: "json", Kind: form.JSON,
		Value: page.Pretty(template(f).OrObject())}
}

// jobVariables are fields for the defaults of a template's variables, and those
// defaults; none of them has to have one.
func jobVariables(template core.JSON, loc *time.Location) ([]form.Field, core.JSON, error) {
	variables, properties, err := variablesOf(template)
	if err != nil {
		return nil, nil, err
	}
	defaults := core.Object{}
	for i, m := range properties {
		property, err := m.Value.(core.JSON).Object()
		if err != nil {
			continue // true, which is a schema, too
		}
		if v := property.Raw("default"); v != nil {
			defaults.Set(m.Key, v)
			property.Delete("default")
			properties[i].Value = property.JSON()
		}
	}
	variables.Set("properties", properties.JSON())
	values := defaults.JSON()
	fields, err := form.Build(variables.JSON(), nil, values, loc)
	return ownNames(fields), values, err
}

func variablesOf(template core.JSON) (variables, properties core.Object, err error) {
	t, err := template.Object()
	if err == nil {
		variables, err = t.Raw("variables").Object()
	}
	if err == nil {
		properties, err = variables.Raw("properties").Object()
	}
	return variables, properties, err
}

func ownNames(fields []form.Field) []form.Field {
	for i := range fields {
		f := &fields[i]
		f.Path, f.ID, f.Required = "v."+f.Path, "v-"+f.ID, false
		f.Fields = ownNames(f.Fields)
	}
	return fields
}

func (u *UI) savePool(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.openPoolForm(w, r)
	if err != nil {
		return err
	}
	change := core.WorkPoolUpdate{Description: page.Changed(&f.Fields[0], f.Fields[0].Value), ConcurrencyLimit: limitOf(&f.Fields[1])}
	if f.AsJSON {
		raw := []form.Field{f.Raw}
		form.Post(raw, r.PostForm)
		if f.Raw = raw[0]; f.Raw.Touched {
			change.BaseJobTemplate = core.Some(page.Written(&f.Raw, nil))
			if err := page.ObjectOf(f.Raw.Value); err != nil {
				f.Raw.Error = err.Error()
			}
		}
	} else if after, _ := form.Edit(f.Defaults, f.Vars, r.PostForm, p.Loc); !bytes.Equal(after, f.Defaults) {
		change.BaseJobTemplate = core.Some(withDefaults(template(f), f.Defaults, after))
	}
	if f.Base != "" && !change.BaseJobTemplate.Set {
		change.BaseJobTemplate = core.Some(template(f))
	}
	if now := form.Digest(string(f.Pool.BaseJobTemplate)); f.Base != "" && f.BaseOf != "" && f.BaseOf != now {
		f.BaseOf, f.Problem = now, "Someone else has changed the template since you opened the form. Save again to replace it."
	}
	ok := len(form.Errors(f.Fields)) == 0 && len(form.Errors(f.Vars)) == 0 && f.Raw.Error == "" && f.Problem == ""
	if to := r.PostForm.Get("to"); to != "" && (ok || f.AsJSON == (to == "json")) {
		return u.poolAs(w, r, p, f, change, to == "json")
	}
	if ok {
		err := u.Service.UpdateWorkPool(r.Context(), f.Pool.Name, change)
		if err == nil {
			u.Flash(w, "Work pool "+f.Pool.Name+" saved.")
			return u.Redirect(w, r, poolPath(f.Pool.Name))
		}
		e, bad := page.Invalid(err)
		if !bad {
			return err
		}
		if f.AsJSON {
			f.Raw.Error = e.Message
		} else {
			f.Problem = e.Message
		}
	}
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.PoolEditForm(f))
	}
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.PoolEditPage(p, f))
}

// poolAs is the form in its other shape with all that was typed.
func (u *UI) poolAs(w http.ResponseWriter, r *http.Request, p views.Page, f views.PoolForm, change core.WorkPoolUpdate, asJSON bool) error {
	code := http.StatusOK
	if f.AsJSON != asJSON {
		if f.Base == "" {
			f.BaseOf = form.Digest(string(f.Pool.BaseJobTemplate))
		}
		f.Base = string(change.BaseJobTemplate.Or(f.Pool.BaseJobTemplate))
		typed := f.Raw.Value
		f.Raw = rawTemplate(f)
		vars, defaults, err := jobVariables(template(f), p.Loc)
		if err != nil && !asJSON {
			f.Raw.Value, f.Raw.Error = typed, "Its variables are no form: "+err.Error()
			asJSON, code = true, http.StatusUnprocessableEntity
		}
		f.Vars, f.Defaults = vars, defaults
	}
	f.AsJSON = asJSON
	if page.HX(r) {
		return u.SendCode(w, r, code, views.PoolEditForm(f))
	}
	return u.SendCode(w, r, code, views.PoolEditPage(p, f))
}

// withDefaults gives the variables that differ another default; the rest of
// the template stays to the digit.
func withDefaults(template, before, after core.JSON) core.JSON {
	t, _ := template.Object()
	variables, properties, _ := variablesOf(template)
	was, _ := before.Object()
	is, _ := after.Object()
	for i, m := range properties {
		v := is.Raw(m.Key)
		property, err := m.Value.(core.JSON).Object()
		if err != nil || string(v) == string(was.Raw(m.Key)) {
			continue
		}
		if property.Delete("default"); v != nil {
			property.Set("default", v)
		}
		properties[i].Value = property.JSON()
	}
	variables.Set("properties", properties.JSON())
	t.Set("variables", variables.JSON())
	return t.JSON()
}

func (u *UI) deletePool(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if err := u.Service.DeleteWorkPool(r.Context(), name); err != nil {
		return err
	}
	u.Flash(w, "Work pool "+name+" deleted.")
	return u.Redirect(w, r, "/work-pools")
}

// deleteWorker forgets a worker; one that lives is back with its next heartbeat.
func (u *UI) deleteWorker(w http.ResponseWriter, r *http.Request) error {
	pool, name := r.PathValue("name"), r.PathValue("worker")
	if err := u.Service.DeleteWorker(r.Context(), pool, name); err != nil {
		return err
	}
	u.Flash(w, "Worker "+name+" forgotten.")
	return u.Redirect(w, r, poolPath(pool))
}

func poolPath(name string) string { return "/work-pools/" + core.PathSegment(name) }

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// limitOf reads a limit; null, which is none, if the field is empty, and unset
// if nobody touched it.
func limitOf(f *form.Field) core.Opt[int64] {
	switch {
	case !f.Touched:
		return core.Opt[int64]{}
	case page.Word(f) == "":
		return core.Null[int64]()
	}
	n, err := strconv.ParseInt(page.Word(f), 10, 64)
	if err != nil || n < 0 {
		f.Error = "Must be a whole number, 0 or more."
	}
	return core.Some(n)
}
