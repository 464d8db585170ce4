package views

import (
	"bytes"
	"context"
	"io"

	"github.com/a-h/templ"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Raw HTML and javascript: links are left out by goldmark's default; table
// cells are aligned by attribute, because style attributes are forbidden.
var markdown = goldmark.New(goldmark.WithExtensions(
	extension.Strikethrough, extension.TaskList, extension.Linkify,
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
), goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(lower{}, 100))))

// lower makes headings start below the page's own: a page has one h1.
type lower struct{}

func (lower) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering {
			h.Level = min(6, h.Level+2)
		}
		return ast.WalkContinue, nil
	})
}

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
