package form

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// OpenedName is the control that tells what a form showed when it was opened.
const OpenedName = ".opened"

// Opened is the value of that control: a digest of what each field shows, by
// its path.
func Opened(parts ...[]Field) string {
	digests := map[string]string{}
	for _, fs := range parts {
		opened(fs, digests)
	}
	return string(core.ToJSON(digests))
}

func opened(fs []Field, digests map[string]string) {
	for i := range fs {
		f := &fs[i]
		if f.Kind == Object {
			opened(f.Fields, digests)
			continue
		}
		if digests[f.Path] = f.digest; f.digest == "" {
			digests[f.Path] = f.sum()
		}
	}
}

// Post puts what was posted into the fields, and marks those that a person has
// touched: a browser posts the others as they are shown, so what is stored of
// them stays, whatever their control can show of it. A field that the post does
// not have is not touched. Where what is stored has changed since the form was
// opened, an untouched field shows the change, and a touched one says so before
// it replaces it.
func Post(fs []Field, q url.Values) {
	var was map[string]string
	_ = json.Unmarshal([]byte(q.Get(OpenedName)), &was)
	post(fs, q, was)
}

func post(fs []Field, q url.Values, was map[string]string) {
	for i := range fs {
		f := &fs[i]
		f.Error = ""
		if f.Kind == Object {
			post(f.Fields, q, was)
			continue
		}
		now := f.sum()
		f.digest, f.shown = now, f.Values
		value, null := f.Value, f.IsNull
		_, posted := q[f.Path]
		_, ticked := q["null."+f.Path]
		if !posted && !ticked && (!f.IsNull || f.Kind != Boolean) {
			continue
		}
		f.IsNull = f.Nullable && ticked
		f.Value, f.Values = ended(q.Get(f.Path), value), nil
		for i, item := range q[f.Path] {
			switch {
			case f.Kind != List:
			case i < len(f.shown):
				f.Values = append(f.Values, ended(item, f.shown[i]))
			case strings.TrimSpace(item) != "":
				f.Values = append(f.Values, ended(item, ""))
			}
		}
		sum := f.sum()
		f.Touched = sum != now
		if before, ok := was[f.Path]; ok && before != now && sum != now {
			f.Outdated = true
			if sum == before {
				f.Touched, f.Value, f.Values, f.IsNull = false, value, f.shown, null
				continue
			}
			theirs := value
			if f.Secret {
				theirs = core.MaskedSecret
			}
			f.Error = "Someone else has changed this to " + quoted(theirs, f.shown, null) + " since you opened the form. Save again to replace it."
		}
	}
}

// Changed marks the untouched fields that show another value now than when the
// form was opened, and reports whether there are any: what is sent must be what
// was seen.
func Changed(fs []Field) (found bool) {
	for i := range fs {
		f := &fs[i]
		if Changed(f.Fields) {
			found = true
		}
		if f.Outdated && !f.Touched {
			f.Error, found = "This default has changed since you opened the form. Check it, and send the form again.", true
		}
	}
	return found
}

// Touched reports whether one of the fields was changed.
func Touched(fs []Field) bool {
	return slices.ContainsFunc(fs, func(f Field) bool { return f.touched() })
}

func (f *Field) touched() bool { return f.Touched || Touched(f.Fields) }

// sum is a digest of what the control shows.
func (f *Field) sum() string {
	var text string
	switch {
	case f.Nullable && f.IsNull:
		text = "null"
	case f.Kind == List:
		items := make([]string, len(f.Values))
		for i, v := range f.Values {
			items[i] = plain(v)
		}
		text = string(core.ToJSON(items))
	default:
		value := f.Value
		if f.Kind == DateTime && len(value) == len("2006-01-02T15:04:05") {
			value = strings.TrimSuffix(value, ":00") // browsers leave out such seconds
		}
		text = "=" + plain(value)
	}
	return Digest(text)
}

// Digest is a short digest of a text.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// newlines as a browser makes them all the same, and a NUL as it reads it.
var plainly = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD")

func plain(s string) string { return plainly.Replace(s) }

// Same reports whether a browser shows two texts as one.
func Same(a, b string) bool { return plain(a) == plain(b) }

// ended is a posted text with the line ends that the shown one has.
func ended(posted, shown string) string {
	posted = strings.ReplaceAll(posted, "\r\n", "\n")
	if n := strings.Count(shown, "\r\n"); n > 0 && n == strings.Count(shown, "\n") {
		return strings.ReplaceAll(posted, "\n", "\r\n")
	}
	return posted
}

func quoted(text string, items []string, null bool) string {
	const most = 60
	switch {
	case null:
		return "null"
	case len(items) > 0:
		text = strings.Join(items, ", ")
	case text == "":
		return "nothing"
	}
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return "“" + text + "”"
}
