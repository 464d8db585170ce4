package views

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views/form"
)

func itoa64(n int64) string { return strconv.FormatInt(n, 10) }

// esc makes a name safe as one segment of a path.
func esc(s string) string { return core.PathSegment(s) }

func confirmAttr(question string) templ.Attributes {
	if question == "" {
		return nil
	}
	return templ.Attributes{"hx-confirm": question}
}

func describedBy(f form.Field) string {
	var s []string
	if f.Error != "" {
		s = append(s, f.ID+"-e")
	}
	if f.Desc != "" {
		s = append(s, f.ID+"-d")
	}
	return strings.Join(s, " ")
}

// onLines reports whether a text has line ends, which an input drops.
func onLines(s string) bool { return strings.ContainsAny(s, "\r\n") }

// textOnLines is the kind of a field with a one-line control, if its value
// needs more than one line.
func textOnLines(f form.Field) form.Kind {
	if one := f.Kind == form.String || f.Plain; one && onLines(f.Value) {
		return f.Kind
	}
	return form.Text
}

// rows is how tall a text of several lines is shown. Most secrets have one line.
func rows(f form.Field) string {
	if f.Secret && f.Kind == form.Text && !onLines(f.Value) {
		return "1"
	}
	return "3"
}

func inputType(f form.Field) string {
	if f.Plain {
		return "text"
	}
	switch f.Kind {
	case form.Integer, form.Number:
		return "number"
	case form.DateTime:
		return "datetime-local"
	case form.Date:
		return "date"
	}
	return "text"
}

// secretAttr keeps the browser from remembering a secret. It is no field of
// type password: browsers take those for a login.
func secretAttr(f form.Field) templ.Attributes {
	if !f.Secret {
		return nil
	}
	return templ.Attributes{"autocomplete": "off", "spellcheck": "false"}
}

// step lets numbers have fractions and times have seconds; the server checks.
func step(f form.Field) string {
	switch f.Kind {
	case form.Number:
		return "any"
	case form.DateTime:
		return "1"
	}
	return ""
}

// fieldVal is a default parameter in a list.
func fieldVal(f form.Field) string {
	switch {
	case f.Kind == form.List:
		return "[" + strings.Join(f.Values, ", ") + "]"
	case f.Kind == form.Object:
		var s []string
		for _, x := range f.Fields {
			s = append(s, fieldVal(x))
		}
		return "{" + strings.Join(s, ", ") + "}"
	case f.IsNull:
		return "null"
	case f.Value == "":
		return "–"
	case f.Kind == form.JSON:
		return strings.Join(strings.Fields(f.Value), " ")
	}
	return f.Value
}

// resumeFlags are the command line's flags for the fields of a question.
func resumeFlags(fs []form.Field) string {
	var b strings.Builder
	for _, f := range fs {
		v := f.Value
		if v == "" && f.Kind == form.Boolean {
			v = "true"
		}
		if v == "" && !f.Required {
			continue
		}
		if !core.PlainWord(f.Name) { // a schema may name anything; this line is made to be pasted
			continue
		}
		if !core.PlainWord(v) || f.Kind == form.Object || f.Kind == form.List {
			v = "…"
		}
		b.WriteString(" --" + f.Name + " " + v)
	}
	return b.String()
}

// runFlags are the flags of deployment run for the required parameters.
func runFlags(fs []form.Field) string {
	var b strings.Builder
	for _, f := range fs {
		if f.Required && core.PlainWord(f.Name) {
			b.WriteString(" -p " + f.Name + "=…")
		}
	}
	return b.String()
}
