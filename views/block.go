package views

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views/form"
)

// BlocksView is the list of block documents.
type BlocksView struct {
	Blocks  []*core.BlockDocument
	Types   []*core.BlockType
	Paging  Paging
	Q, Type string
}

// BlockView is a document with its secrets masked.
type BlockView struct{ *core.BlockDocument }

func (b BlockView) path() string { return "/blocks/" + b.ID.String() }

func (b BlockView) editPath() string {
	if b.BlockType.Slug == core.SecretBlock {
		return "/secrets/" + b.ID.String()
	}
	return b.path() + "?edit=1"
}

func (b BlockView) title() string { return b.BlockType.Slug + "/" + b.Name }

type blockField struct {
	Name  string
	Value core.JSON
	Ref   *core.BlockReferenced
}

// data are the document's fields in the order in which they were written.
func (b BlockView) data() (out []blockField) {
	m := map[string]core.JSON{}
	_ = json.Unmarshal(b.Data, &m)
	for _, k := range keys(b.Data) {
		f := blockField{Name: k, Value: m[k]}
		if ref, ok := b.References[k]; ok {
			f.Ref = &ref.Document
		}
		out = append(out, f)
	}
	return out
}

// BlockForm makes or changes a document.
type BlockForm struct {
	*core.BlockDocument // zero ID: not stored yet
	Name                string
	NameError           string
	Fields              []form.Field
	Problem             string
}

func (f BlockForm) fresh() bool { return f.ID.IsZero() }

func (f BlockForm) path() string {
	if f.fresh() {
		return "/blocks/new?type=" + url.QueryEscape(f.BlockType.Slug)
	}
	return "/blocks/" + f.ID.String()
}

func (f BlockForm) title() string {
	if f.fresh() {
		return "New " + f.BlockType.Name
	}
	return "Edit " + f.BlockType.Slug + "/" + f.Name
}

func (f BlockForm) back() string {
	if f.fresh() {
		return "/blocks/new"
	}
	return f.path()
}

// name is the field of the name, which is not part of the schema.
func (f BlockForm) name() form.Field {
	return form.Field{Name: "block_name", Path: "block_name", ID: "b-name", Title: "Name of the block", Kind: form.String, Required: true,
		Value: f.Name, Error: f.NameError, Desc: "Lower-case letters, digits and dashes."}
}

func (f BlockForm) errors() []form.Field {
	out := form.Errors(f.Fields)
	if f.NameError != "" {
		out = append([]form.Field{f.name()}, out...)
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func refNames(refs map[string]core.BlockReference) string {
	return strings.Join(slices.Sorted(maps.Keys(refs)), ", ")
}
