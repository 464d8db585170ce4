package data

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// readSecrets lists the blocks of type secret without opening them.
func (u *UI) readSecrets(r *http.Request, d *views.VariablesView) (err error) {
	f := core.BlockFilters{
		Types:     &core.BlockTypeFilter{Slug: &core.TextFilter{Any: []string{core.SecretBlock}}},
		Documents: &core.BlockDocumentFilter{Name: page.Like(d.Q)},
	}
	var pg core.Page
	d.SecretPaging, pg = page.Paged(r, "/variables", "secrets")
	d.Secrets, err = u.Store.BlockDocuments(r.Context(), f, pg)
	d.Secrets = page.OnPage(&d.SecretPaging, d.Secrets)
	return err
}

// secret is the form that sets or replaces a secret; "new" has none yet.
func (u *UI) secret(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.secretForm(w, r, nil)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.SecretPage(p, f))
}

func (u *UI) secretForm(w http.ResponseWriter, r *http.Request, typed url.Values) (p views.Page, f views.SecretForm, err error) {
	title := "New secret"
	f.AsJSON = typed.Get("as") == "json"
	if r.PathValue("id") != "new" {
		if f.Secret, err = u.secretByID(r); err != nil {
			return p, f, err
		}
		title = f.Secret.Name
	}
	if p, err = u.Page(w, r, title, "variables"); err != nil {
		return p, f, err
	}
	f.Fields = []form.Field{
		{
			Name:     "value",
			Title:    "Value",
			Kind:     form.JSON,
			Required: true,
			Secret:   true,
			Desc:     "Encrypted before it is stored. It is masked in logs and not shown again.",
		},
	}
	if f.Secret == nil {
		f.Fields = append(
			[]form.Field{{Name: "name", Title: "Name", Kind: form.String, Required: true, Desc: "Lower-case letters, digits and dashes."}},
			f.Fields...)
	}
	page.Fill("f-", f.Fields, typed)
	return p, f, nil
}

func (u *UI) secretByID(r *http.Request) (*core.BlockDocument, error) {
	id, err := page.PathID(r, "Secret")
	if err != nil {
		return nil, err
	}
	d, err := u.Store.BlockDocument(r.Context(), id)
	if core.IsNotFound(err) || err == nil && core.Deref(d.BlockType).Slug != core.SecretBlock {
		return nil, core.NotFound("Secret")
	}
	return d, err
}

func (u *UI) saveSecret(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.secretForm(w, r, r.PostForm)
	if err != nil {
		return err
	}
	typed := &f.Fields[len(f.Fields)-1]
	cut := *typed
	cut.Value = strings.TrimSuffix(cut.Value, "\n") // of a paste
	value := valueOf(&cut, f.AsJSON)
	if typed.Error = cut.Error; cut.Value == "" {
		typed.Error = "Write the value."
	}
	if len(form.Errors(f.Fields)) == 0 {
		var name string
		if f.Secret == nil {
			f.Fields[0].Value = strings.TrimSpace(f.Fields[0].Value)
			name = f.Fields[0].Value
			_, err = u.Blocks.CreateSecret(r.Context(), name, value)
		} else {
			name = f.Secret.Name
			err = u.Blocks.SetSecret(r.Context(), name, value)
		}
		if err == nil {
			u.Flash(w, "Secret "+name+" is set.")
			return u.Redirect(w, r, "/variables")
		}
		if core.CodeOf(err) == core.EConflict && f.Secret == nil {
			f.Fields[0].Error = "There is a secret of this name already; open it to replace its value."
		} else if f.Problem, err = page.Refused(f.Fields, err); err != nil {
			return err
		}
	}
	return u.Again(w, r, views.SecretFormC(f), views.SecretPage(p, f))
}

func (u *UI) deleteSecret(w http.ResponseWriter, r *http.Request) error {
	d, err := u.secretByID(r)
	if err != nil {
		return err
	}
	if err := u.Blocks.DeleteBlockDocument(r.Context(), d.ID); err != nil {
		return err
	}
	u.Flash(w, "Secret "+d.Name+" unset.")
	return u.Redirect(w, r, "/variables")
}
