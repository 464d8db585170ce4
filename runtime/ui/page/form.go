package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views/form"
)

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

// ObjectOf refuses a text that is no JSON object.
func ObjectOf(text string) error {
	v, err := core.JSON(text).Decode()
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("Not valid JSON: the field is empty. Write a JSON object: { … }.")
	case err != nil:
		return fmt.Errorf("Not valid JSON: %w. Write a JSON object: { … }.", err)
	case !isObject(v):
		return errors.New("Write a JSON object: { … }.")
	}
	return nil
}

// AsError is the error as it goes to clients, nil if it is none of ours.
func AsError(err error) *core.Error {
	e, _ := errors.AsType[*core.Error](err)
	return e
}

// Invalid is the error of input that was not accepted.
func Invalid(err error) (*core.Error, bool) {
	e, ok := errors.AsType[*core.Error](err)
	return e, ok && e.Code == core.EInvalid
}

// Fill gives the fields of a form of ours their ids and what was typed.
func Fill(id string, fields []form.Field, typed url.Values) []form.Field {
	for i := range fields {
		f := &fields[i]
		f.Path, f.ID = f.Name, id+f.Name
	}
	form.Post(fields, typed)
	return fields
}

// Changed is what a field asks for, unset if nobody touched the field.
func Changed[T any](f *form.Field, v T) core.Opt[T] {
	if !f.Touched {
		return core.Opt[T]{}
	}
	return core.Some(v)
}

// OrNull is changed for a text that is null when empty.
func OrNull(f *form.Field, text string) core.Opt[string] {
	if f.Touched && text == "" {
		return core.Null[string]()
	}
	return Changed(f, text)
}

// Word is what stands in a field of one word or number.
func Word(f *form.Field) string { return strings.TrimSpace(f.Value) }

// Refused writes onto the fields what the service did not take, and returns
// what belongs to none of them. Anything else than a refusal comes back.
func Refused(fields []form.Field, err error) (problem string, _ error) {
	switch core.CodeOf(err) {
	case core.EInvalid, core.EConflict, core.EForbidden, core.EBadRequest:
	default:
		return "", err
	}
	if e, ok := Invalid(err); ok && len(e.Fields) > 0 && len(form.Mark(fields, e.Fields)) == 0 {
		return "", nil
	}
	return err.Error(), nil
}

// TagText shows tags with commas between them, or as a JSON list if one of them
// would not be read back.
func TagText(tags []string) string {
	text := strings.Join(tags, ", ")
	if len(tags) == 0 || slices.Equal(TagsOf(text), tags) && !strings.ContainsAny(text, "\r\n") {
		return text
	}
	return string(core.Encode(tags))
}

// TagsOf reads tags that commas separate, or a JSON list of them; each counts once.
func TagsOf(list string) core.Tags {
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

// Pretty is JSON on lines, with the order of its keys and every digit of a number.
func Pretty(j core.JSON) string {
	var b bytes.Buffer
	if json.Indent(&b, j, "", "  ") != nil {
		return string(j)
	}
	return b.String()
}

// Written is JSON that a person wrote, without the blanks of its layout. An
// untouched field gives what is stored.
func Written(f *form.Field, stored core.JSON) core.JSON {
	var b bytes.Buffer
	if !f.Touched || json.Compact(&b, []byte(f.Value)) != nil {
		return stored
	}
	return b.Bytes()
}

// Priority reads the priority of a run; empty is 0. EInvalid if text is no whole number.
func Priority(text string) (int64, error) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, core.Errorf(core.EInvalid, "%q is not a priority; enter a whole number, such as 5 or -1", text)
	}
	return n, nil
}
