package importer

import (
	"context"
	"net/url"

	"github.com/flowlite/flowlite/runtime/core"
)

// blockTypes copies those that documents use, with those that their schemas
// refer to: a server knows dozens that nobody uses.
func (i *importer) blockTypes(ctx context.Context, p *Part) error {
	documents, err := i.documents(ctx)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, d := range documents {
		if t, ok := d["block_type"].(object); ok {
			used[text(t, "slug")] = true
		}
		slugsIn(d["block_schema"], used)
	}
	types, err := all(ctx, i.From, "/block_types/filter", nil)
	if err != nil {
		return err
	}
	var rows []object
	for _, t := range types {
		if used[text(t, "slug")] {
			rows = append(rows, t)
		}
	}
	return i.each(ctx, p, rows, byName, func(t object) error {
		var there object
		err := i.get(ctx, i.To, "/block_types/slug/"+core.PathSegment(text(t, "slug")), &there)
		switch {
		case err == nil:
			p.Kept++
		case core.IsNotFound(err):
			body := pick(t, "name", "slug", "logo_url", "documentation_url", "description", "code_example")
			if err := call(ctx, i.To, "POST", "/block_types/", body, &there); err != nil {
				return err
			}
			p.Created++
		default:
			return err
		}
		i.known(t, there)
		return nil
	})
}

func slugsIn(v any, found map[string]bool) {
	switch v := v.(type) {
	case object:
		if s := text(v, "block_type_slug"); s != "" {
			found[s] = true
		}
		for _, x := range v {
			slugsIn(x, found)
		}
	case []any:
		for _, x := range v {
			slugsIn(x, found)
		}
	}
}

// documents are the source's, with their secrets.
func (i *importer) documents(ctx context.Context) ([]object, error) {
	return all(ctx, i.From, "/block_documents/filter", object{"include_secrets": true, "sort": "NAME_ASC"})
}

// blockDocuments copies those first that others refer to.
func (i *importer) blockDocuments(ctx context.Context, p *Part) error {
	rows, err := i.documents(ctx)
	if err != nil {
		return err
	}
	placed := map[string]bool{}
	var order []object
	for len(order) < len(rows) {
		before := len(order)
		for _, d := range rows {
			if id := text(d, "id"); !placed[id] && allPlaced(d, placed, rows) {
				placed[id] = true
				order = append(order, d)
			}
		}
		if len(order) == before { // a circle: the target says what it lacks
			for _, d := range rows {
				if !placed[text(d, "id")] {
					order = append(order, d)
				}
			}
		}
	}
	return i.each(ctx, p, order, documentName, func(d object) error { return i.blockDocument(ctx, p, d) })
}

func documentName(d object) string {
	t, _ := d["block_type"].(object)
	return text(t, "slug") + "/" + text(d, "name")
}

// references are the fields of a document that are documents themselves.
func references(d object) map[string]string {
	out := map[string]string{}
	refs, _ := d["block_document_references"].(object)
	for field, v := range refs {
		if r, ok := v.(object); ok {
			if of, ok := r["block_document"].(object); ok {
				out[field] = text(of, "id")
			}
		}
	}
	return out
}

func allPlaced(d object, placed map[string]bool, rows []object) bool {
	known := index(rows, func(o object) string { return text(o, "id") })
	for _, id := range references(d) {
		if _, there := known[id]; there && !placed[id] {
			return false
		}
	}
	return true
}

func (i *importer) blockDocument(ctx context.Context, p *Part, d object) error {
	kind, _ := d["block_type"].(object)
	schema, _ := d["block_schema"].(object)
	var there object
	path := "/block_types/slug/" + core.PathSegment(text(kind, "slug")) + "/block_documents/name/" + core.PathSegment(text(d, "name"))
	err := i.get(ctx, i.To, path, &there)
	if err == nil {
		p.Kept++
		i.known(d, there)
		return nil
	}
	if !core.IsNotFound(err) {
		return err
	}
	typeID, ok := i.ids[text(kind, "id")]
	if !ok {
		p.skip(documentName(d), "its block type was not copied")
		return nil
	}
	var stored object
	err = i.get(
		ctx,
		i.To,
		"/block_schemas/checksum/"+core.PathSegment(text(schema, "checksum"))+"?version="+url.QueryEscape(text(schema, "version")),
		&stored,
	)
	if core.IsNotFound(err) {
		body := pick(schema, "fields", "capabilities", "version")
		body["block_type_id"] = typeID
		err = call(ctx, i.To, "POST", "/block_schemas/", body, &stored)
	}
	if err != nil {
		return err
	}
	data, _ := d["data"].(object)
	data = pick(data, keys(data)...)
	for field, id := range references(d) {
		to, ok := i.ids[id]
		if !ok {
			p.skip(documentName(d), "the document in its field "+field+" was not copied")
			return nil
		}
		data[field] = object{"$ref": object{"block_document_id": to}}
	}
	body := pick(d, "name", "is_anonymous")
	body["data"], body["block_type_id"], body["block_schema_id"] = data, typeID, text(stored, "id")
	var made object
	if err := call(ctx, i.To, "POST", "/block_documents/", body, &made); err != nil {
		return err
	}
	p.Created++
	i.known(d, made)
	return nil
}

func keys(o object) []string {
	out := make([]string, 0, len(o))
	for k := range o {
		out = append(out, k)
	}
	return out
}
