package views

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"unicode"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// Render draws a component for a browser. In whatever a reader sees, it shows
// the characters that change the direction of text by their code. A name with
// one of them could otherwise rearrange the text around it. Values of forms keep
// them, since they are sent back and stand in a box of their own.
func Render(ctx context.Context, c templ.Component) ([]byte, error) {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return nil, err
	}
	return showDirections(b.Bytes()), nil
}

// shownAttribute matches the attributes whose text a browser shows or speaks.
var shownAttribute = regexp.MustCompile(`\s(?:title|alt|placeholder|label|aria-(?:label|description|valuetext)|hx-confirm)="[^"]*"`)

func showDirections(page []byte) []byte {
	if bytes.IndexFunc(page, turns) < 0 {
		return page
	}
	var b bytes.Buffer
	z := html.NewTokenizer(bytes.NewReader(page))
	exact := false // within an element whose text is not shown, or sent back
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return b.Bytes()
		case html.TextToken:
			if exact {
				b.Write(z.Raw())
			} else {
				b.Write(shown(z.Raw()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			raw := bytes.Clone(z.Raw())
			name, _ := z.TagName()
			switch string(name) {
			case "textarea", "script", "style":
				exact = true
			}
			b.Write(shownAttribute.ReplaceAllFunc(raw, shown))
		default:
			exact = exact && kind != html.EndTagToken
			b.Write(z.Raw())
		}
	}
}

func shown(text []byte) []byte {
	if bytes.IndexFunc(text, turns) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if turns(r) {
			fmt.Fprintf(&b, "&lt;U+%04X&gt;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}

func turns(r rune) bool { return r >= 0x61c && unicode.Is(unicode.Bidi_Control, r) }
