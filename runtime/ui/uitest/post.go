package uitest

import (
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// Posted is what a browser sends for a form that nobody touched: the elements
// of the HTML standard's "constructing the entry list", with the sanitization
// of each control's value.
func Posted(t testing.TB, page io.Reader, id string) url.Values {
	t.Helper()
	root, err := html.ParseWithOptions(page, html.ParseOptionEnableScripting(true))
	if err != nil {
		t.Fatal(err)
	}
	within := root
	if id != "" {
		if within = element(root, func(n *html.Node) bool { return n.Data == "form" && attr(n, "id") == id }); within == nil {
			t.Fatalf("no form %s", id)
		}
	}
	q := url.Values{}
	for n := range within.Descendants() {
		name, has := attrOf(n, "name")
		if _, off := attrOf(n, "disabled"); n.Type != html.ElementNode || !has || off {
			continue
		}
		add := func(v string) { q.Add(lines(name), lines(v)) }
		switch n.Data {
		case "textarea":
			add(textOf(n))
		case "select":
			add(chosen(n))
		case "input":
			switch kind := attr(n, "type"); kind {
			case "checkbox", "radio":
				if _, on := attrOf(n, "checked"); on {
					add(attr(n, "value"))
				}
			default:
				add(sanitized(kind, attr(n, "value")))
			}
		}
	}
	return q
}

func element(n *html.Node, is func(*html.Node) bool) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && is(d) {
			return d
		}
	}
	return nil
}

func attrOf(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func attr(n *html.Node, name string) string {
	v, _ := attrOf(n, name)
	return v
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func chosen(n *html.Node) string {
	var first *html.Node
	for d := range n.Descendants() {
		if d.Type != html.ElementNode || d.Data != "option" {
			continue
		}
		if _, on := attrOf(d, "selected"); on {
			return attr(d, "value")
		}
		if first == nil {
			first = d
		}
	}
	return attr(first, "value")
}

func lines(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	return strings.ReplaceAll(s, "\n", "\r\n")
}

var (
	float    = regexp.MustCompile(`^-?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d+)?$`)
	wall     = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?$`)
	noSecond = regexp.MustCompile(`:00(\.0+)?$`)
)

// sanitized is what Chromium makes of a control's value.
func sanitized(kind, v string) string {
	switch kind {
	case "number":
		if n, err := strconv.ParseFloat(v, 64); err != nil || n-n != 0 || !float.MatchString(v) {
			return ""
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return ""
		}
	case "datetime-local":
		if !wall.MatchString(v) {
			return ""
		}
		if len(v) > len("2006-01-02T15:04") {
			v = noSecond.ReplaceAllString(v, "")
		}
	case "hidden":
	default:
		v = strings.NewReplacer("\r", "", "\n", "").Replace(v)
	}
	return v
}
