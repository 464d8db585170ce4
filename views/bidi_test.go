package views

import "testing"

func TestDirectionsAreShown(t *testing.T) {
	for page, want := range map[string]string{
		"<b>plain ✓ שלום</b>":                             "<b>plain ✓ שלום</b>",
		"<b>a\u202eb</b>":                                 "<b>a&lt;U+202E&gt;b</b>",
		"<title>\u2067</title>\u200f\u061c":               "<title>&lt;U+2067&gt;</title>&lt;U+200F&gt;&lt;U+061C&gt;",
		"<a href=\"/x\u202e\" title=\"a\u202e\">":         "<a href=\"/x\u202e\" title=\"a&lt;U+202E&gt;\">",
		"<input value=\"\u202e\" aria-label=\"\u200e\"/>": "<input value=\"\u202e\" aria-label=\"&lt;U+200E&gt;\"/>",
		"<textarea>\u202e</textarea>\u202e":               "<textarea>\u202e</textarea>&lt;U+202E&gt;",
		"<p>&lt;b&gt;\u202e &amp;amp;\xff</p>":            "<p>&lt;b&gt;&lt;U+202E&gt; &amp;amp;\uFFFD</p>",
	} {
		if got := string(showDirections([]byte(page))); got != want {
			t.Errorf("%q\n got %q\nwant %q", page, got, want)
		}
	}
}
