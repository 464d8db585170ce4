package views

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func artifactOf(kind string, data any) *core.Artifact {
	return &core.Artifact{Type: &kind, Data: core.ToJSON(data)}
}

func signs(d diff) string {
	var b strings.Builder
	for _, h := range d.hunks {
		for _, l := range h {
			b.WriteString(map[string]string{"+": "+", "−": "-", "": " "}[l.sign])
		}
		b.WriteByte('|')
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	many := make([]string, 60)
	for i := range many {
		many[i] = fmt.Sprint("line ", i)
	}
	long := strings.Join(many, "\n")
	for _, c := range []struct {
		name, kind string
		was, is    any
		want       string
	}{
		{"same", "markdown", "a\nb", "a\nb", ""},
		{"a line", "markdown", "a\nb\nc", "a\nB\nc", " -+ |"},
		{"last line without an end", "markdown", "a", "a\nb", " +|"},
		{"all gone", "markdown", "a", "", "-+|"},
		{"two places", "markdown", long, strings.Replace(strings.Replace(long, "line 5\n", "", 1), "line 50\n", "", 1), "   -   |   -   |"},
		{"JSON by fields", "json", map[string]any{"a": 1, "b": 2}, map[string]any{"a": 1, "b": 3}, "  -+ |"},
		{"rows", "table", `[{"a":1,"b":"x"},{"a":2,"b":"y"}]`, `[{"a":1,"b":"x"},{"a":3,"b":"y"},{"a":4,"b":"z"}]`, " -++|"},
		{"another head: by text", "table", `[{"a":1}]`, `[{"b":1}]`, "  -+  |"},
	} {
		d := compare(artifactOf(c.kind, c.was), artifactOf(c.kind, c.is))
		if got := signs(d); got != c.want || d.tooLarge {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if c.name == "rows" && (len(d.head) != 2 || d.hunks[0][1].row[0] != "2" || d.added != 2 || d.removed != 1) {
			t.Errorf("rows: %+v", d)
		}
	}
	if d := compare(artifactOf("markdown", strings.Repeat("x\n", maxCompared)), artifactOf("markdown", "y")); !d.tooLarge {
		t.Error("a text that is too large is compared")
	}
}
