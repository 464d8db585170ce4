package run_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

var rowName = regexp.MustCompile(`<span class="trunc">([^<]*)</span>`)

func rows(body string) string {
	var out []string
	for _, m := range rowName.FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return strings.Join(out, " ")
}

func TestAttempts(t *testing.T) {
	h := uitest.Open(t)
	path := "/flow-runs/" + h.Twice().ID.String()
	for _, c := range []struct{ query, rows, says string }{
		{"", "extract-0 load-0 publish-0", "3 of 3 task runs done"},
		{"?attempt=1", "extract-0 load-0", "2 of 2 task runs done · 1 failed"},
		{"?attempt=2", "load-0 publish-0", "2 of 2 task runs done"},
		{"?attempt=1&rows=failed", "load-0", "1 failed"},
		{"?attempt=3", "extract-0 load-0 publish-0", "3 of 3"},
	} {
		_, body := h.Get(path + "/timeline" + c.query)
		text := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), " ")
		if got := rows(body); got != c.rows || !strings.Contains(text, c.says) {
			t.Errorf("%s: rows %q, want %q; and %q in %.200s", c.query, got, c.rows, c.says, text)
		}
		uitest.Contains(t, body, "All attempts", "attempt=2")
	}
	_, body := h.Get(path + "/timeline?attempt=2")
	uitest.Contains(t, body, "view=lanes", "attempt=2&amp;view=lanes", "rows=failed")
	if strings.Contains(body, "⋯") {
		t.Error("the axis of one attempt should have no gap of two days")
	}
	_, body = h.Get(path + "/timeline")
	uitest.Contains(t, body, "⋯") // the two days are squeezed
	_, body = h.Get("/flow-runs/" + h.Create(h.ETL, "").ID.String())
	if strings.Contains(body, "All attempts") {
		t.Error("a run of one attempt has no choice")
	}
}
