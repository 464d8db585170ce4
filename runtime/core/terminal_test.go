package core_test

import (
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestPlainText(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"a\tb\nc":                           "a\tb\nc",
		"100 % of _x_ \\ ü":                 "100 % of _x_ \\ ü",
		"\x1b[31mERR\x1b[0mOR":              "ERROR",
		"\x1b[38;5;196mred\x1b[m":           "red",
		"\x1b[38;2;1;2;3mrgb\x1b[2K\x1b[1G": "rgb",
		"\u009b1mbold":                      "bold",
		"\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07": "link",
		"\x1b]0;title\x1b\\text":                          "text",
		"\x1b]0;never closed\nnext line":                  "\nnext line",
		"\x1bP+q\x1b\\x\x1b(By\x1bMz":                     "xyz",
		"cut \x1b[3":                                      "cut ",
		"cut \x1b":                                        "cut ",
		"bell\x07 back\bspace":                            "bell backspace",
		"10%\r20%\r100%":                                  "100%",
		"10%\r20%\r":                                      "20%",
		"dos\r\nlines\r\n":                                "dos\nlines\n",
		"a\r\r\nb":                                        "a\nb",
		"first\n1/2\r2/2\nlast":                           "first\n2/2\nlast",
		"\x1b[32m1/2\r\x1b[0m2/2":                         "2/2",
	} {
		if got := core.PlainText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTextSpans(t *testing.T) {
	show := func(spans []core.TextSpan) string {
		var b strings.Builder
		for _, s := range spans {
			b.WriteString("[")
			for _, w := range []struct {
				on   bool
				name string
			}{{s.Bold, "b"}, {s.Faint, "f"}, {s.Italic, "i"}, {s.Underline, "u"}} {
				if w.on {
					b.WriteString(w.name)
				}
			}
			if s.Color > 0 {
				b.WriteByte("0123456789abcdefg"[s.Color])
			}
			b.WriteString(":" + s.Text + "]")
		}
		return b.String()
	}
	for text, want := range map[string]string{
		"plain":                             "[:plain]",
		"\x1b[1;31mbad\x1b[22m red\x1b[39m": "[b2:bad][2: red]",
		"\x1b[4munder\x1b[0m\x1b[2mfaint\x1b[3mboth":   "[u:under][f:faint][fi:both]",
		"\x1b[92mgreen\x1b[mnone":                      "[b:green][:none]",
		"\x1b[38;5;9mbright\x1b[38;5;1mred":            "[a:bright][2:red]",
		"\x1b[38;5;196mcube\x1b[38;5;240mgray":         "[a:cube][9:gray]",
		"\x1b[38;2;0;0;238mblue":                       "[5:blue]",
		"\x1b[38:2::255:0:0mcolons":                    "[a:colons]",
		"\x1b[48;5;1mground\x1b[48;2;9;31;9;1mbold":    "[:ground][b:bold]",
		"\x1b[38;5mcut\x1b[38;2;1mcut\x1b[38;9;31mcut": "[:cutcutcut]",
		"\x1b[99999999999999999999mbig\x1b[;1m":        "[:big]",
		"\x1b[31m1/2\r\x1b[32m2/2":                     "[3:2/2]",
	} {
		if got := show(core.TextSpans(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzPlainText(f *testing.F) {
	f.Add("\x1b[1mx\x1b]0;t\x07\r\ny\x9b3")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		plain := core.PlainText(text)
		if again := core.PlainText(plain); again != plain {
			t.Errorf("%q: %q, and of that %q", text, plain, again)
		}
		var spans strings.Builder
		for _, s := range core.TextSpans(text) {
			spans.WriteString(s.Text)
		}
		if spans.String() != plain {
			t.Errorf("%q: spans say %q, not %q", text, spans.String(), plain)
		}
		if strings.ContainsAny(plain, "\x1b\r\a\b") {
			t.Errorf("%q: %q", text, plain)
		}
	})
}
