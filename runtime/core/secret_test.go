package core

import (
	"strings"
	"testing"
)

// TestMaskForms: what encoders of Go, Python, JavaScript, and templates make of a
// secret, and what output adds to it.
func TestMaskForms(t *testing.T) {
	const word = `p/w "x'y<z>&ü=1\s+`
	for _, c := range []struct{ what, secret, text string }{
		{"itself", word, word},
		{"quote of Python", word, "p/w%20%22x%27y%3Cz%3E%26%C3%BC%3D1%5Cs%2B"},
		{"quote of Python, safe=''", word, "p%2Fw%20%22x%27y%3Cz%3E%26%C3%BC%3D1%5Cs%2B"},
		{"quote_plus of Python", word, "p%2Fw+%22x%27y%3Cz%3E%26%C3%BC%3D1%5Cs%2B"},
		{"encodeURIComponent", word, "p%2Fw%20%22x'y%3Cz%3E%26%C3%BC%3D1%5Cs%2B"},
		{"encodeURI", word, "p/w%20%22x'y%3Cz%3E&%C3%BC=1%5Cs+"},
		{"html.escape of Python", word, "p/w &quot;x&#x27;y&lt;z&gt;&amp;ü=1\\s+"},
		{"HTML of Go and Jinja", word, "p/w &#34;x&#39;y&lt;z&gt;&amp;ü=1\\s+"},
		{"HTML of others", word, "p/w &quot;x&#39;y&lt;z&gt;&amp;ü=1\\s+"},
		{"repr of Python", word, `p/w "x\'y<z>&ü=1\\s+`},
		{"JSON", word, `p/w \"x'y<z>&ü=1\\s+`},
		{"hexadecimal", "s3cret-word", "7333637265742d776f7264"},
		{"hexadecimal in capitals", "s3cret-word", "7333637265742D776F7264"},
		{"base64", "s3cret-word", "czNjcmV0LXdvcmQ="},
		{"colored within", "s3cret-word", "s3cret\x1b[1m-\x1b[0mword"},
		{"a control within", "s3cret-word", "s3\x00cret-w\x07ord"},
		{"a carriage return within", "s3cret-word", "s3cret\r-word"},
		{"a link within", "s3cret-word", "s3cret\x1b]8;;http://x\x1b\\-word"},
		{"a secret with a color, as shown", "s3\x1b[31mcret-word", "s3cret-word"},
		{"a secret with controls, as shown", "s3cret\x07-word", "s3cret-word"},
		{"a line of a secret of Windows", "first line\r\nsecond line", "second line"},
		{"what a carriage return leaves", "overwritten\rwhat-stays", "what-stays"},
		{"what a carriage return hides", "overwritten\rwhat-stays", "overwritten"},
		{"credentials of a run, colored", "none-here", "flr_\x1b[1m0123456789\x1b[0mabcdef"},
	} {
		m := Masker([]string{c.secret})
		got := MaskRunAuth(m.Replace("before " + c.text + " after"))
		if got != "before "+MaskedSecret+" after" {
			t.Errorf("%s: %q is masked as %q", c.what, c.text, got)
		}
	}
	m := Masker([]string{"s3cret-word"})
	for _, text := range []string{"plain", "\x1b[31mred\x1b[0m and \r no secret", "s3cret word", strings.Repeat("x", 1000)} {
		if got := m.Replace(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	if Masker([]string{"abc", ""}) != nil {
		t.Error("short words are masked")
	}
}
