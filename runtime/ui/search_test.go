package ui_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// row begins one; <line> of a chart is none.
var row = regexp.MustCompile(`<(tr|li)[ >]`)

// No character that is typed into a search box stands for others.
func TestSearchBoxesTakeEveryCharacterAsItIs(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	pages := h.Pages(h.Seed())
	pages["palette"] = "/palette"
	rows := func(path, name, typed string) int {
		t.Helper()
		u, err := url.Parse(path)
		h.Check(err)
		q := u.Query()
		q.Set(name, typed)
		u.RawQuery = q.Encode()
		code, body := h.Get(u.String())
		if code != 200 {
			t.Errorf("%s: %d", u, code)
		}
		// A row links to what it is of; the log's rows are its lines.
		main := uitest.MainPart.FindString(body)
		return len(row.FindAllString(main, -1))
	}
	boxes := 0
	for _, path := range pages {
		_, body := h.Get(path)
		for _, m := range uitest.SearchBox.FindAllStringSubmatch(uitest.MainPart.FindString(body), -1) {
			name := m[1] + m[2]
			none := rows(path, name, "xyzzy")
			boxes++
			for _, typed := range []string{"%", "__", `\%`, "%_%", `\`} {
				if typed == "%" && name == "log" { // some lines have it
					continue
				}
				if n := rows(path, name, typed); n != none {
					t.Errorf("%s: %q in %s finds %d rows, nothing is %d", path, typed, name, n, none)
				}
			}
		}
	}
	if boxes < 15 {
		t.Errorf("only %d search boxes", boxes)
	}
}
