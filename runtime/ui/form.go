package ui

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// fill gives the fields of a form of ours their ids and what was typed.
func fill(id string, fields []form.Field, typed url.Values) []form.Field {
	for i := range fields {
		f := &fields[i]
		f.Path, f.ID = f.Name, id+f.Name
	}
	form.Post(fields, typed)
	return fields
}

// changed is what a field asks for, unset if nobody touched the field.
func changed[T any](f *form.Field, v T) core.Opt[T] {
	if !f.Touched {
		return core.Opt[T]{}
	}
	return core.Some(v)
}

// orNull is changed for a text that is null when empty.
func orNull(f *form.Field, text string) core.Opt[string] {
	if f.Touched && text == "" {
		return core.Null[string]()
	}
	return changed(f, text)
}

// word is what stands in a field of one word or number.
func word(f *form.Field) string { return strings.TrimSpace(f.Value) }

// refused writes onto the fields what the service did not take, and returns
// what belongs to none of them. Anything else than a refusal comes back.
func refused(fields []form.Field, err error) (problem string, _ error) {
	switch core.CodeOf(err) {
	case core.EInvalid, core.EConflict, core.EForbidden, core.EBadRequest:
	default:
		return "", err
	}
	if e, ok := invalid(err); ok && len(e.Fields) > 0 && len(form.Mark(fields, e.Fields)) == 0 {
		return "", nil
	}
	return err.Error(), nil
}

// again sends a form back with what is wrong in it: alone to htmx, else as the
// page that it stands on.
func (u *UI) again(w http.ResponseWriter, r *http.Request, alone, page templ.Component) error {
	if hx(r) {
		page = alone
	}
	return u.sendCode(w, r, http.StatusUnprocessableEntity, page)
}

// tagText shows tags with commas between them, or as a JSON list if one of them
// would not be read back.
func tagText(tags []string) string {
	text := strings.Join(tags, ", ")
	if len(tags) == 0 || slices.Equal(tagsOf(text), tags) && !strings.ContainsAny(text, "\r\n") {
		return text
	}
	return string(core.Encode(tags))
}

// tagsOf reads tags that commas separate, or a JSON list of them; each counts once.
func tagsOf(list string) core.Tags {
	out := core.Tags{}
	if strings.HasPrefix(list, "[") && json.Unmarshal([]byte(list), &out) == nil {
		return out
	}
	out = core.Tags{}
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// listedRows is how many rows the plain lists show.
const listedRows = 50

// paged reads which page of a list the address asks for. A page can have two
// lists, each with a key of its own.
func paged(r *http.Request, path, key string) (views.Paging, core.Page) {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get(key))
	l := views.Paging{Path: path, Key: key, N: min(max(n, 1), 100_000), Size: listedRows}
	q.Del(key)
	l.Query = q.Encode()
	return l, core.Page{Limit: listedRows + 1, Offset: (l.N - 1) * listedRows}
}

// onPage takes the row off that only told of a next page. No list counts what
// it does not show.
func onPage[T any](l *views.Paging, rows []T) []T {
	l.More = len(rows) > l.Size
	l.Shown = min(len(rows), l.Size)
	return rows[:l.Shown]
}

// like is a search for part of a name; nil for none.
func like(s string) *core.TextFilter {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return &core.TextFilter{Contains: &s}
}

// pretty is JSON on lines, with the order of its keys and every digit of a number.
func pretty(j core.JSON) string {
	var b bytes.Buffer
	if json.Indent(&b, j, "", "  ") != nil {
		return string(j)
	}
	return b.String()
}

// written is JSON that a person wrote, without the blanks of its layout. An
// untouched field gives what is stored.
func written(f *form.Field, stored core.JSON) core.JSON {
	var b bytes.Buffer
	if !f.Touched || json.Compact(&b, []byte(f.Value)) != nil {
		return stored
	}
	return b.Bytes()
}
