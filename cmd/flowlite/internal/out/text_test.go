package out

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// lineBreaks are all characters at which a terminal or a reader of lines or
// columns may begin another one.
var lineBreaks = []string{"\n", "\r\n", "\r", "\t", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u0085", "\u2028", "\u2029"}

// Text of others makes no line and no column of its own, in any of the ways to print it.
func TestTextOfOthersStaysInItsPlace(t *testing.T) {
	for name, write := range map[string]func(p *Printer, s string){
		"table": func(p *Printer, s string) {
			_ = p.Table(&Table{Columns: []Column{{Name: "a"}, {Name: "b"}}, Rows: [][]string{{s, "end"}}})
		},
		"fields": func(p *Printer, s string) { _ = p.Fields([]Field{{Name: s, Value: s}}) },
		"say":    func(p *Printer, s string) { _ = p.Say(nil, "", "said %s", s) },
		"note":   func(p *Printer, s string) { p.Note("noted %s", s) },
		"error":  func(p *Printer, s string) { p.Note("noted %v", errors.New(s)) },
		"hint":   func(p *Printer, s string) { p.Hint("do %s", s) },
		"tell":   func(p *Printer, s string) { p.Tell("told %s", s) },
		"live":   func(p *Printer, s string) { p.Live().Line("live %s", s) },
		"name":   func(p *Printer, s string) { p.Format = "name"; _ = p.Names(s) },
		"record": func(p *Printer, s string) { p.Format = "name"; _ = p.Record(nil, s, nil) },
	} {
		for _, format := range []string{"auto", "table"} {
			for _, c := range lineBreaks {
				var b bytes.Buffer
				p := &Printer{Out: &b, Err: &b, Format: format, Width: 100}
				write(p, "x"+c+"FAKE"+c+c+"FAKE")
				for i, line := range strings.FieldsFunc(strings.ReplaceAll(b.String(), "\r\n", "\n"), func(r rune) bool { return r != '\t' && breaks(r) }) {
					column := strings.Contains(line, "\tFAKE") && name != "say" && name != "live" && name != "note" && name != "error" && name != "hint" && name != "tell" && name != "fields"
					if strings.HasPrefix(line, "FAKE") || column || i > 0 && name == "name" {
						t.Errorf("%s (%s) with %q: %q", name, format, c, b.String())
					}
				}
			}
		}
	}
}

func TestIndented(t *testing.T) {
	for text, want := range map[string]string{
		"one\ntwo\r\nthree\n":   "one\n  two\n  three",
		"50%\r100%":             `50%\x0d100%`,
		"a\vb\fc\u0085d\u2028e": `a\x0bb\x0cc<U+0085>d<U+2028>e`,
		"keeps\ttabs":           "keeps\ttabs",
	} {
		if got := indented(text, "  "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := Line("a\r\n\tb\u2029c"); got != "a b c" {
		t.Errorf("%q", got)
	}
	if got := format("%s %d %v", []any{"a\nb", 1, fmt.Errorf("c\nd")}); got != "a\n    b 1 c\n    d" {
		t.Errorf("%q", got)
	}
}
