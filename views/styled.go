package views

import (
	"context"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
)

// Styled is the output of a program with the colors and weights that it asked a
// terminal for. What hit matches is marked; nil marks nothing.
func Styled(text string, hit *regexp.Regexp) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		spans := core.TextSpans(text)
		var marks [][]int // of the text of all spans
		if hit != nil {
			var all strings.Builder
			for _, s := range spans {
				all.WriteString(s.Text)
			}
			marks = hit.FindAllStringIndex(all.String(), -1)
		}
		var b strings.Builder
		at := 0
		for _, s := range spans {
			class := styleClass(s.TextStyle)
			if class != "" {
				b.WriteString(`<span class="` + class + `">`)
			}
			marks = writeMarked(&b, s.Text, at, marks)
			at += len(s.Text)
			if class != "" {
				b.WriteString(`</span>`)
			}
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// writeMarked writes the text that begins at offset at of the whole, and
// returns the marks that are not over at its end.
func writeMarked(b *strings.Builder, text string, at int, marks [][]int) [][]int {
	done, end := at, at+len(text)
	piece := func(to int) string {
		s := html.EscapeString(text[done-at : to-at])
		done = to
		return s
	}
	for len(marks) > 0 && marks[0][0] < end {
		from, to := max(marks[0][0], at), min(marks[0][1], end)
		b.WriteString(piece(from))
		if from < to {
			b.WriteString("<mark>" + piece(to) + "</mark>")
		}
		if marks[0][1] > end {
			break
		}
		marks = marks[1:]
	}
	b.WriteString(piece(end))
	return marks
}

func styleClass(s core.TextStyle) string {
	var class []string
	if s.Color > 0 {
		class = append(class, fmt.Sprintf("fg%d", s.Color))
	}
	for _, c := range []struct {
		on   bool
		name string
	}{{s.Bold, "fb"}, {s.Faint, "ff"}, {s.Italic, "fi"}, {s.Underline, "fu"}} {
		if c.on {
			class = append(class, c.name)
		}
	}
	return strings.Join(class, " ")
}

// hitOf matches what a search for text found; nil if nothing was searched.
func hitOf(text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	return regexp.MustCompile("(?i)" + regexp.QuoteMeta(text))
}
