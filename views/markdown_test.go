package views

import (
	"regexp"
	"strings"
	"testing"
)

func rendered(t *testing.T, src string) string {
	t.Helper()
	var b strings.Builder
	if err := Markdown(src).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a run wrote brings no script, no style, and loads nothing.
func TestHostileMarkdown(t *testing.T) {
	bad := regexp.MustCompile(`(?i)<(script|style|iframe|object|embed|link|meta|svg|base|form|input|video|audio|source)\b|\son\w+=|style=|(href|src)="\s*(javascript|vbscript|file|data:text)|<img[^>]+src="[^d]`)
	for _, src := range []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<a href="javascript:alert(1)">x</a>`,
		`[x](javascript:alert(1))`, `[x](JaVaScRiPt:alert(1))`, `[x](java&#115;cript:alert(1))`, "[x](\x01javascript:alert(1))", `[x](vbscript:msgbox)`, `[x](data:text/html;base64,PHNjcmlwdD4=)`, `[x](file:///etc/passwd)`,
		`![x](https://tracker.example.test/p.gif)`, `![](https://tracker.example.test/p.gif)`, `![x](//tracker.example.test/p.gif)`, `![x](/flow-runs/1/cancel)`, `![x][ref]` + "\n\n[ref]: https://tracker.example.test/p.gif",
		`[![badge](https://tracker.example.test/b.svg)](https://example.test)`, `![a ![b](https://tracker.example.test/2.gif)](https://tracker.example.test/1.gif)`, `![x](javascript:alert(1))`, `![x](data:text/html,<script>)`,
		"<style>*{display:none}</style>", "<iframe src=//x>", "<form action=/runs/bulk method=post><button>", `<link rel=stylesheet href=//x>`, `<meta http-equiv=refresh content=0>`, `<base href=//x>`,
		`[x](https://a.test "onmouseover=alert(1)")`, `<https://a.test/"onclick=x>`, "```html\n<script>alert(1)</script>\n```", "| a |\n|--|\n| <script>x</script> |", "# <img src=x>\n<!-- <script> -->", "&lt;script&gt;",
	} {
		if html := rendered(t, src); bad.MatchString(regexp.MustCompile(`title="[^"]*"|&quot;on`).ReplaceAllString(html, "")) {
			t.Errorf("%q became %s", src, html)
		}
	}
}

// An image is a link to it, but for one that is in the text itself.
func TestImagesAreLinks(t *testing.T) {
	for src, want := range map[string]string{
		`![plot](https://a.test/p.png)`:                    `<a href="https://a.test/p.png">plot</a>`,
		`![](https://a.test/p.png)`:                        `<a href="https://a.test/p.png">https://a.test/p.png</a>`,
		`[![badge](https://a.test/b.svg)](https://b.test)`: `<a href="https://b.test">badge</a>`,
		`![dot](data:image/png;base64,AAAA)`:               `<img src="data:image/png;base64,AAAA" alt="dot"`,
	} {
		if html := rendered(t, src); !strings.Contains(html, want) || strings.Count(html, "<a ") > 1 {
			t.Errorf("%s became %s", src, html)
		}
	}
}
