package out

import (
	"bytes"
	"strings"
	"testing"
)

func TestScreen(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext ✓ 日本\n":          "plain\ttext ✓ 日本\n",
		"\x1b[31mred\x1b[0m\n":        "\x1b[31mred\x1b[0m\n",
		"\x1b[1;38;5;208mx\x1b[m\n":   "\x1b[1;38;5;208mx\x1b[m\n",
		"\x1b[31mleft on\n":           "\x1b[31mleft on\x1b[0m\n",
		"\r\x1b[Kworking":             "\r\x1b[Kworking",
		"a\r\nb\n":                    "a\nb\n",
		"\x1b]0;title\x07x":           `\x1b]0;title\x07x`,
		"\x1b]52;c;ZXZpbA==\x07":      `\x1b]52;c;ZXZpbA==\x07`,
		"\x1b[2J\x1b[1;1H\x1b[3A":     `\x1b[2J\x1b[1;1H\x1b[3A`,
		"\x1b[6n\x1b[c\x1bP$q\x1b\\":  `\x1b[6n\x1b[c\x1bP$q\x1b\`,
		"\x1b[8mhidden\x1b[0m":        `\x1b[8mhidden` + "\x1b[0m",
		"100%\rdone":                  `100%\x0ddone`,
		"\b\b\b\x00\x7f":              `\x08\x08\x08\x00\x7f`,
		"\u009b2J\u202etxt.exe\u2066": "<U+009B>2J<U+202E>txt.exe<U+2066>",
		"bad \xff byte":               "bad \uFFFD byte",
	} {
		var whole, bytewise bytes.Buffer
		s := &screen{to: &whole}
		_, _ = s.Write([]byte(text + "."))
		if got := whole.String(); got != want+"." {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
		s = &screen{to: &bytewise}
		for i := range len(text) {
			_, _ = s.Write([]byte{text[i]})
		}
		_, _ = s.Write([]byte("."))
		if bytewise.String() != whole.String() {
			t.Errorf("%q byte by byte: %q, whole: %q", text, bytewise.String(), whole.String())
		}
	}
}

// FuzzScreen: what comes out holds no control but those that the screen allows.
func FuzzScreen(f *testing.F) {
	f.Add([]byte("\x1b[31m\x1b[8m\r\x1b[K\xc2\x9b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var b bytes.Buffer
		s := &screen{to: &b}
		_, _ = s.Write(text)
		_, _ = s.Write([]byte("\n"))
		rest := strings.ReplaceAll(b.String(), eraseLine, "")
		for rest != "" {
			if m := sgr.FindString(rest); m != "" {
				rest = rest[len(m):]
				continue
			}
			if c := rest[0]; c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
				t.Fatalf("%q lets %q through", text, c)
			}
			rest = rest[1:]
		}
	})
}
