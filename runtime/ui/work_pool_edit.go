package ui

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// editPool has the path /work-pools/{name}/edit: written so it would meet
// Prefect's /work-pools/work-pool/{name}.
func (u *UI) editPool(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("what") != "edit" {
		return core.Errorf(core.ENotFound, "There is no page at this address.")
	}
	p, f, err := u.openPoolForm(w, r)
	if err != nil {
		return err
	}
	return u.send(w, r, views.PoolEditPage(p, f))
}

func (u *UI) openPoolForm(w http.ResponseWriter, r *http.Request) (p views.Page, f views.PoolForm, err error) {
	if f.Pool, err = u.Store.WorkPoolByName(r.Context(), r.PathValue("name")); err != nil {
		return p, f, err
	}
	if p, err = u.page(w, r, "Edit "+f.Pool.Name, "pools"); err != nil {
		return p, f, err
	}
	f.AsJSON = r.URL.Query().Get("input") == "json"
	f.Fields = []form.Field{
		{Name: "description", Title: "Description", Kind: form.String, Value: core.Deref(f.Pool.Description)},
		{Name: "limit", Title: "Runs at once", Kind: form.Integer, Min: "0", Desc: "No limit if left empty.", Value: number(f.Pool.ConcurrencyLimit)},
	}
	for i := range f.Fields {
		f.Fields[i].Path, f.Fields[i].ID = f.Fields[i].Name, "p-"+f.Fields[i].Name
	}
	f.Raw = form.Field{Name: "raw", Path: "raw", ID: "raw", Title: "Template", TypeHint: "json", Kind: form.JSON, Value: pretty(f.Pool.BaseJobTemplate.OrObject())}
	if base := r.PostForm.Get("base"); json.Valid([]byte(base)) {
		f.Base = base
	}
	f.Vars, err = jobVariables(template(f), p.Loc)
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

// jobVariables are fields for the defaults of a template's variables; none of
// them has to have one.
func jobVariables(template core.JSON, loc *time.Location) ([]form.Field, error) {
	var t struct {
		Variables core.JSON `json:"variables"`
	}
	if err := json.Unmarshal(template.OrObject(), &t); err != nil {
		return nil, err
	}
	fields, err := form.Build(t.Variables, nil, nil, loc)
	return ownNames(fields), err
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
	if err := parseForm(r); err != nil {
		return err
	}
	p, f, err := u.openPoolForm(w, r)
	if err != nil {
		return err
	}
	for i := range f.Fields {
		f.Fields[i].Value = strings.TrimSpace(r.PostForm.Get(f.Fields[i].Name))
	}
	change := core.WorkPoolUpdate{Description: core.Some(f.Fields[0].Value), ConcurrencyLimit: limitOf(&f.Fields[1])}
	ok := f.Fields[1].Error == ""
	if f.AsJSON {
		f.Raw.Value = r.PostForm.Get("raw")
		change.BaseJobTemplate = core.Some(core.JSON(f.Raw.Value))
		var v map[string]any
		if err := decodeStrict(f.Raw.Value, &v); err != nil {
			f.Raw.Error, ok = err.Error(), false
		}
	} else {
		before, _ := form.Decode(f.Vars, formOf(f.Vars), p.Loc)
		after, good := form.Decode(f.Vars, r.PostForm, p.Loc)
		switch ok = ok && good; {
		case good && string(before) != string(after):
			change.BaseJobTemplate = core.Some(withDefaults(template(f), before, after))
		case f.Base != "":
			change.BaseJobTemplate = core.Some(template(f))
		}
	}
	if to := r.PostForm.Get("to"); to != "" && (ok || f.AsJSON == (to == "json")) {
		return u.poolAs(w, r, p, f, change, to == "json")
	}
	if ok {
		err := u.Service.UpdateWorkPool(r.Context(), f.Pool.Name, change)
		if err == nil {
			u.flash(w, "Work pool "+f.Pool.Name+" saved.")
			return u.redirect(w, r, poolPath(f.Pool.Name))
		}
		e, bad := invalid(err)
		if !bad {
			return err
		}
		if f.AsJSON {
			f.Raw.Error = e.Message
		} else {
			f.Problem = e.Message
		}
	}
	if hx(r) {
		return u.sendCode(w, r, http.StatusUnprocessableEntity, views.PoolEditForm(f))
	}
	return u.sendCode(w, r, http.StatusUnprocessableEntity, views.PoolEditPage(p, f))
}

// poolAs is the form in its other shape with all that was typed.
func (u *UI) poolAs(w http.ResponseWriter, r *http.Request, p views.Page, f views.PoolForm, change core.WorkPoolUpdate, asJSON bool) error {
	if change.BaseJobTemplate.Set {
		f.Base = string(change.BaseJobTemplate.V)
	}
	if asJSON && !f.AsJSON {
		f.Raw.Value = pretty(template(f))
	}
	code := http.StatusOK
	if !asJSON && f.AsJSON {
		vars, err := jobVariables(template(f), p.Loc)
		if err != nil {
			f.Raw.Error, asJSON, code = "Its variables are no form: "+err.Error(), true, http.StatusUnprocessableEntity
		}
		f.Vars = vars
	}
	f.AsJSON = asJSON
	if hx(r) {
		return u.sendCode(w, r, code, views.PoolEditForm(f))
	}
	return u.sendCode(w, r, code, views.PoolEditPage(p, f))
}

// withDefaults gives the variables that differ another default; the rest of
// the template stays to the digit.
func withDefaults(template, before, after core.JSON) core.JSON {
	object := func(j json.RawMessage) map[string]json.RawMessage {
		m := map[string]json.RawMessage{}
		_ = json.Unmarshal(j, &m)
		return m
	}
	was, is := object(json.RawMessage(before)), object(json.RawMessage(after))
	t := object(json.RawMessage(template))
	variables := object(t["variables"])
	properties := object(variables["properties"])
	for name, p := range properties {
		v, has := is[name]
		if string(v) == string(was[name]) {
			continue
		}
		property := object(p)
		if delete(property, "default"); has && string(v) != `""` {
			property["default"] = v
		}
		properties[name] = json.RawMessage(core.ToJSON(property))
	}
	variables["properties"] = json.RawMessage(core.ToJSON(properties))
	t["variables"] = json.RawMessage(core.ToJSON(variables))
	return core.ToJSON(t)
}

func (u *UI) deletePool(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if err := u.Service.DeleteWorkPool(r.Context(), name); err != nil {
		return err
	}
	u.flash(w, "Work pool "+name+" deleted.")
	return u.redirect(w, r, "/work-pools")
}

// deleteWorker forgets a worker; one that lives is back with its next heartbeat.
func (u *UI) deleteWorker(w http.ResponseWriter, r *http.Request) error {
	pool, name := r.PathValue("name"), r.PathValue("worker")
	if err := u.Service.DeleteWorker(r.Context(), pool, name); err != nil {
		return err
	}
	u.flash(w, "Worker "+name+" forgotten.")
	return u.redirect(w, r, poolPath(pool))
}

func poolPath(name string) string { return "/work-pools/" + url.PathEscape(name) }

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// limitOf reads a limit; null, which is none, if the field is empty.
func limitOf(f *form.Field) core.Opt[int64] {
	if f.Value == "" {
		return core.Opt[int64]{Set: true, Null: true}
	}
	n, err := strconv.ParseInt(f.Value, 10, 64)
	if err != nil || n < 0 {
		f.Error = "Must be a whole number, 0 or more."
	}
	return core.Some(n)
}
