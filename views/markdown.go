package views

import (
	"bytes"
	"context"
	"io"

	"github.com/a-h/templ"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// Raw HTML and javascript: links are left out by goldmark's default; table
// cells are aligned by attribute, because style attributes are forbidden.
var markdown = goldmark.New(goldmark.WithExtensions(
	extension.Strikethrough, extension.TaskList, extension.Linkify,
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
))

// Markdown renders what a run wrote.
func Markdown(src string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b bytes.Buffer
		if err := markdown.Convert([]byte(src), &b); err != nil {
			return err
		}
		_, err := w.Write(b.Bytes())
		return err
	})
}
