package data

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

func (u *UI) blocks(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Blocks", "blocks")
	if err != nil {
		return err
	}
	ctx, q := r.Context(), r.URL.Query()
	d := views.BlocksView{Q: strings.TrimSpace(q.Get("q")), Type: q.Get("type")}
	if d.Types, err = u.Store.BlockTypes(ctx, core.BlockFilters{}, core.Page{}); err != nil {
		return err
	}
	f := core.BlockFilters{Documents: &core.BlockDocumentFilter{Name: page.Like(d.Q)}}
	if d.Type != "" {
		f.Types = &core.BlockTypeFilter{Slug: &core.TextFilter{Any: []string{d.Type}}}
	}
	var pg core.Page
	d.Paging, pg = page.Paged(r, "/blocks", "page")
	pg.Sort = "BLOCK_TYPE_AND_NAME_ASC"
	if d.Blocks, err = u.Store.BlockDocuments(ctx, f, pg); err != nil {
		return err
	}
	d.Blocks = page.OnPage(&d.Paging, d.Blocks)
	if page.HX(r) {
		return u.Send(w, r, views.BlocksBody(p, d))
	}
	return u.Send(w, r, views.BlocksPage(p, d))
}

// block shows a document with its secrets masked, or the form that changes it.
func (u *UI) block(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Block")
	if err != nil {
		return err
	}
	d, err := u.Blocks.BlockDocument(r.Context(), id, false)
	if err != nil {
		return err
	}
	edit := r.URL.Query().Has("edit")
	if edit && d.BlockType.Slug == core.SecretBlock {
		return u.Redirect(w, r, "/secrets/"+id.String())
	}
	p, err := u.Page(w, r, d.BlockType.Slug+"/"+d.Name, "blocks")
	if err != nil {
		return err
	}
	if edit {
		return u.Send(w, r, views.BlockFormPage(p, blockForm(p, d, nil)))
	}
	return u.Send(w, r, views.BlockPage(p, views.BlockView{BlockDocument: d}))
}

// newBlock asks for the type first.
func (u *UI) newBlock(w http.ResponseWriter, r *http.Request) error {
	slug := r.URL.Query().Get("type")
	p, err := u.Page(w, r, "New block", "blocks")
	if err != nil {
		return err
	}
	switch slug {
	case "":
		types, err := u.Store.BlockTypes(r.Context(), core.BlockFilters{}, core.Page{})
		if err != nil {
			return err
		}
		return u.Send(w, r, views.BlockTypesPage(p, types))
	case core.SecretBlock:
		return u.Redirect(w, r, "/secrets/new")
	}
	d, err := u.blankBlock(r.Context(), slug)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.BlockFormPage(p, blockForm(p, d, nil)))
}

// blankBlock is a document of the type's newest schema, not stored.
func (u *UI) blankBlock(ctx context.Context, slug string) (*core.BlockDocument, error) {
	t, err := u.Store.BlockTypeBySlug(ctx, slug)
	if err != nil {
		return nil, err
	}
	schemas, err := u.Store.BlockSchemas(
		ctx,
		core.BlockFilters{Schemas: &core.BlockSchemaFilter{BlockTypeID: page.One(t.ID)}},
		core.Page{Limit: 1},
	)
	if err != nil {
		return nil, err
	}
	if len(schemas) == 0 {
		return nil, core.Errorf(core.EConflict, "The block type %s has no schema yet; register its class with `prefect block register`.", t.Name)
	}
	return &core.BlockDocument{BlockType: t, BlockTypeID: t.ID, BlockSchema: schemas[0], BlockSchemaID: schemas[0].ID}, nil
}

// blockForm is the schema's form, filled with what is stored, secrets masked.
// Keys in which other blocks stand are left out: they stay as they are.
func blockForm(p views.Page, d *core.BlockDocument, typed url.Values) views.BlockForm {
	f := views.BlockForm{BlockDocument: d, Name: d.Name}
	if d.ID.IsZero() {
		f.Name = strings.TrimSpace(typed.Get("block_name"))
	}
	fields, err := form.Build(d.BlockSchema.Fields, nil, d.Data, p.Loc)
	if err != nil {
		f.Problem = "The schema of this block cannot be read: " + err.Error()
	}
	f.Fields = slices.DeleteFunc(fields, func(x form.Field) bool { _, ref := d.References[x.Name]; return ref })
	for _, path := range d.BlockSchema.SecretPaths() {
		secretField(f.Fields, path, typed)
	}
	return f
}

// secretField tells that a mask stands for what is stored, and lets it pass
// whatever the schema asks of the secret itself.
func secretField(fields []form.Field, path []string, typed url.Values) {
	for i := range fields {
		f := &fields[i]
		switch {
		case len(path) == 0 || f.Name != path[0]:
		case f.Kind == form.Object && len(path) > 1:
			secretField(f.Fields, path[1:], typed)
		case strings.Contains(f.Value, core.MaskedSecret):
			f.Secret = f.Kind != form.JSON // of which some may not be secret
			f.Desc = strings.TrimSpace(f.Desc + " Leave " + core.MaskedSecret + " to keep what is stored.")
			if typed.Get(f.Path) == core.MaskedSecret {
				f.Pattern, f.MinLen, f.MaxLen = "", 0, 0
			}
		default:
			f.Secret = f.Kind != form.JSON
		}
		if f.Secret && f.Kind == form.String {
			f.Kind = form.Text // a key has lines, which an input drops
		}
	}
}

func (u *UI) createBlock(w http.ResponseWriter, r *http.Request) error {
	d, err := u.blankBlock(r.Context(), r.PostForm.Get("block_type"))
	if err != nil {
		return err
	}
	p, err := u.Page(w, r, "New block", "blocks")
	if err != nil {
		return err
	}
	f := blockForm(p, d, r.PostForm)
	data, ok := form.Decode(nil, f.Fields, r.PostForm, p.Loc)
	if ok {
		d, err = u.Blocks.CreateBlockDocument(r.Context(), core.BlockDocumentCreate{
			Name: &f.Name, Data: dataOf(data), BlockSchemaID: d.BlockSchemaID, BlockTypeID: d.BlockTypeID,
		})
		if err == nil {
			u.Flash(w, "Block "+d.BlockType.Slug+"/"+d.Name+" saved.")
			return u.Redirect(w, r, "/blocks/"+d.ID.String())
		}
		// The service checks the name alone; a field of the block may be called so, too.
		if f.NameError, err = page.Refused(nil, err); err != nil {
			return err
		}
	}
	return u.Again(w, r, views.BlockFormC(f), views.BlockFormPage(p, f))
}

func (u *UI) saveBlock(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Block")
	if err != nil {
		return err
	}
	d, err := u.Blocks.BlockDocument(r.Context(), id, false)
	if err != nil {
		return err
	}
	p, err := u.Page(w, r, d.BlockType.Slug+"/"+d.Name, "blocks")
	if err != nil {
		return err
	}
	f := blockForm(p, d, r.PostForm)
	data, ok := form.Edit(d.Data, f.Fields, r.PostForm, p.Loc)
	if ok {
		next := dataOf(data)
		for key, ref := range d.References {
			next[key] = core.ToJSON(map[string]any{"$ref": map[string]any{"block_document_id": ref.Document.ID}})
		}
		// With all that was read, so that a field that was cleared goes.
		err = u.Blocks.UpdateBlockDocument(r.Context(), id, core.BlockDocumentUpdate{Data: core.Some(next), Merge: core.Some(false)})
		if err == nil {
			u.Flash(w, "Block "+d.BlockType.Slug+"/"+d.Name+" saved.")
			return u.Redirect(w, r, "/blocks/"+id.String())
		}
		if f.Problem, err = page.Refused(f.Fields, err); err != nil {
			return err
		}
	}
	return u.Again(w, r, views.BlockFormC(f), views.BlockFormPage(p, f))
}

func dataOf(j core.JSON) map[string]core.JSON {
	m := map[string]core.JSON{}
	_ = json.Unmarshal(j, &m)
	return m
}

func (u *UI) deleteBlock(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Block")
	if err != nil {
		return err
	}
	d, err := u.Store.BlockDocument(r.Context(), id)
	if err != nil {
		return err
	}
	if err := u.Blocks.DeleteBlockDocument(r.Context(), id); err != nil {
		return err
	}
	u.Flash(w, "Block "+d.BlockType.Slug+"/"+d.Name+" deleted.")
	return u.Redirect(w, r, "/blocks")
}
