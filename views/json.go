package views

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// JSON prints pretty JSON with token classes; every token is escaped.
func JSON(raw []byte) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b bytes.Buffer
		if json.Indent(&b, raw, "", "  ") != nil {
			b.Reset()
			b.Write(raw)
		}
		src := b.String()
		var o strings.Builder
		for i := 0; i < len(src); {
			c := src[i]
			switch {
			case c == '"':
				j := i + 1
				for j < len(src) && src[j] != '"' {
					if src[j] == '\\' {
						j++
					}
					j++
				}
				j = min(j+1, len(src))
				cl := "s"
				if k := strings.TrimLeft(src[j:], " "); strings.HasPrefix(k, ":") {
					cl = "k"
				}
				o.WriteString(`<span class="` + cl + `">` + html.EscapeString(src[i:j]) + `</span>`)
				i = j
			case c == '-' || c >= '0' && c <= '9':
				j := i + 1
				for j < len(src) && strings.IndexByte("0123456789.eE+-", src[j]) >= 0 {
					j++
				}
				o.WriteString(`<span class="nu">` + src[i:j] + `</span>`)
				i = j
			case c >= 'a' && c <= 'z':
				j := i + 1
				for j < len(src) && src[j] >= 'a' && src[j] <= 'z' {
					j++
				}
				o.WriteString(`<span class="b">` + src[i:j] + `</span>`)
				i = j
			default:
				if c == '<' || c == '>' || c == '&' || c == '\'' {
					o.WriteString(html.EscapeString(string(rune(c))))
				} else {
					o.WriteByte(c)
				}
				i++
			}
		}
		_, err := io.WriteString(w, o.String())
		return err
	})
}
