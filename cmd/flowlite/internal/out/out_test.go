package out

import (
	"bytes"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(k string) string { return m[k] }
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		flag     string
		terminal bool
		env      func(string) string
		want     bool
	}{
		{"auto", true, env(), true},
		{"auto", false, env(), false},
		{"auto", true, env("NO_COLOR", "1"), false},
		{"auto", true, env("TERM", "dumb"), false},
		{"auto", false, env("CLICOLOR_FORCE", "1"), true},
		{"auto", false, env("CLICOLOR_FORCE", "0"), false},
		{"auto", false, env("CLICOLOR_FORCE", "1", "NO_COLOR", "1"), false},
		{"always", false, env("NO_COLOR", "1"), true},
		{"never", true, env("CLICOLOR_FORCE", "1"), false},
	} {
		if got := wantColor(c.flag, c.terminal, c.env); got != c.want {
			t.Errorf("--color %s, terminal %v: %v", c.flag, c.terminal, got)
		}
	}
}

func TestGlyphs(t *testing.T) {
	for locale, want := range map[string]string{"C.UTF-8": "✓ Completed", "en_US.utf8": "✓ Completed", "C": "+ Completed", "": "+ Completed", "POSIX": "+ Completed"} {
		p := New(&bytes.Buffer{}, &bytes.Buffer{}, "auto", "never", env("LC_ALL", locale))
		if got := p.State(core.Completed, "Completed"); got != want {
			t.Errorf("in locale %q: %q", locale, got)
		}
	}
	p := &Printer{Unicode: true}
	for state, want := range map[core.StateType]string{core.Running: "● Running", core.Failed: "✗ Failed", core.Crashed: "▲ Crashed", core.Paused: "‖ Paused"} {
		if got := p.State(state, state.Name()); got != want {
			t.Errorf("%s is %q", state, got)
		}
	}
	if got := p.State(core.Scheduled, core.NameLate); got != "◷ Late" {
		t.Error(got)
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	table := &Table{Columns: []Column{{Name: "name"}, {Name: "n", Right: true}, {Name: "state", Keep: true}, {Name: "note"}},
		Rows: [][]string{{"a-rather-long-name-of-a-deployment", "5", "● Running", "some words"}, {"b", "1234", "✓ Completed", "x\ty\nz"}}}
	for width, want := range map[int]string{
		80: "NAME                                   N  STATE        NOTE\n" +
			"a-rather-long-name-of-a-deployment     5  ● Running    some words\n" +
			"b                                   1234  ✓ Completed  x y z\n",
		56: "NAME                                   N  STATE\n" +
			"a-rather-long-name-of-a-deployment     5  ● Running\n" +
			"b                                   1234  ✓ Completed\n",
		30: "NAME               STATE\n" +
			"a-rather…ployment  ● Running\n" +
			"b                  ✓ Completed\n",
	} {
		var b bytes.Buffer
		p := &Printer{Out: &b, Format: "table", Unicode: true, Width: width}
		if err := p.Table(table); err != nil || b.String() != want {
			t.Errorf("at %d columns:\n%s\nwant\n%s", width, b.String(), want)
		}
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
				t.Errorf("%d columns are %d wide", width, n)
			}
		}
	}
	var b bytes.Buffer
	p := &Printer{Out: &b, Format: "auto"}
	if err := p.Table(table); err != nil || b.String() != "a-rather-long-name-of-a-deployment\t5\t● Running\tsome words\nb\t1234\t✓ Completed\tx y z\n" {
		t.Errorf("in a pipe: %q", b.String())
	}
}
