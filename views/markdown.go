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

	"github.com/flowlite/flowlite/runtime/core"
)

// Raw HTML and javascript: links are left out by goldmark's default; table
// cells are aligned by attribute, because style attributes are forbidden.
var markdown = goldmark.New(goldmark.WithExtensions(
	extension.Strikethrough, extension.TaskList, extension.Linkify,
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
), goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(lower{}, 100))))

// lower makes a text's highest headings come below the page's own, since a page
// has one h1 and cards with h2, and images links: what a run wrote loads nothing.
type lower struct{}

const belowPage = 3

func (lower) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	var images []*ast.Image
	var headings []*ast.Heading
	highest := 6
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Heading:
			if entering {
				headings, highest = append(headings, n), min(highest, n.Level)
			}
		case *ast.Image:
			if entering && !bytes.HasPrefix(n.Destination, []byte("data:image/")) {
				images = append(images, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range headings {
		n.Level = min(6, n.Level-highest+belowPage)
	}
	for _, n := range images {
		instead(n)
	}
}

// instead puts a link where an image was; within a link, its text alone.
func instead(n *ast.Image) {
	parent := n.Parent()
	var box ast.Node = ast.NewTextBlock()
	if !inLink(parent) {
		link := ast.NewLink()
		link.Destination, link.Title, box = n.Destination, n.Title, link
	}
	for c := n.FirstChild(); c != nil; c = n.FirstChild() {
		box.AppendChild(box, c)
	}
	if !box.HasChildren() {
		box.AppendChild(box, ast.NewString(n.Destination))
	}
	if link, ok := box.(*ast.Link); ok {
		parent.ReplaceChild(parent, n, link)
		return
	}
	for c := box.FirstChild(); c != nil; c = box.FirstChild() {
		parent.InsertBefore(parent, n, c)
	}
	parent.RemoveChild(parent, n)
}

func inLink(n ast.Node) bool {
	for ; n != nil; n = n.Parent() {
		if _, ok := n.(*ast.Link); ok {
			return true
		}
	}
	return false
}

// Markdown renders what a run wrote.
func Markdown(src string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b bytes.Buffer
		if err := markdown.Convert([]byte(core.PlainText(src)), &b); err != nil {
			return err
		}
		_, err := w.Write(b.Bytes())
		return err
	})
}
