package jinja_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/template/jinja"
)

// bombs would take all memory, or hours, if nothing bounded them.
var bombs = map[string]string{
	"repeat":              `{{ ('x' * 10000000000)|length }}`,
	"repeat in steps":     `{{ 'x' * 200000 * 200000 * 200000 }}`,
	"repeat overflows":    `{{ ('x' * 4294967296) * 4294967297 }}`,
	"repeat the data":     `{{ long * 100000 }}`,
	"add":                 `{% set a = 'xxxxxxxxxx' %}` + strings.Repeat(`{% set a = a + a %}`, 60) + `{{ a|length }}`,
	"join by tilde":       `{% set a = 'xxxxxxxxxx' %}` + strings.Repeat(`{% set a = a ~ a %}`, 60) + `{{ a|length }}`,
	"add lists":           `{% set a = [1, 2, 3, 4] %}` + strings.Repeat(`{% set a = a + a %}`, 60) + `{{ a|length }}`,
	"nest lists":          `{% set a = ['x'] %}` + strings.Repeat(`{% set a = [a, a] %}`, 60) + `{{ a }}`,
	"nest objects":        `{% set a = {'x': 1} %}` + strings.Repeat(`{% set a = {'a': a, 'b': a} %}`, 60) + `{{ a|tojson }}`,
	"compare":             `{% set a = ['x'] %}` + strings.Repeat(`{% set a = [a, a] %}`, 60) + `{{ a == a }}`,
	"loops":               `{% for a in range(100) %}{% for b in range(100) %}{{ long[1:] }}{% endfor %}{% endfor %}`,
	"loops over letters":  `{% for a in 'x' * 200000 %}{% for b in 'x' * 200000 %}{% endfor %}{% endfor %}`,
	"loops, collected":    `{% set s %}{% for a in range(100) %}{% for b in range(100) %}` + strings.Repeat("y", 5000) + `{% endfor %}{% endfor %}{% endset %}{{ s|length }}`,
	"loops, filtered":     `{% filter upper %}{% for a in range(100) %}{% for b in range(100) %}{{ long }}{% endfor %}{% endfor %}{% endfilter %}`,
	"loops with an if":    `{% for a in range(100) if long|upper == long|lower %}{% for b in range(100) if long|upper %}{% endfor %}{% endfor %}`,
	"loops by themselves": `{% for a in l recursive %}{{ loop(l) }}{% endfor %}`,
	"a list of itself":    `{% set a = [] %}{{ a.append(a) }}{{ a }}`,
	"an object of itself": `{% set a = {} %}{{ a.update({'a': a}) }}{{ a }}`,
	"center":              `{{ 'x'|center(10000000000)|length }}`,
	"center by name":      `{{ ['x']|map('center', 10000000000)|list|length }}`,
	"indent":              `{{ ('\n' * 100000)|indent(100000)|length }}`,
	"indent by text":      `{{ ('\n' * 100000)|indent('x' * 100000)|length }}`,
	"replace":             `{{ ('x' * 100000)|replace('x', 'y' * 100000)|length }}`,
	"replace nothing":     `{{ ('x' * 100000)|replace('', 'y' * 100000)|length }}`,
	"replace by name":     `{{ ('x' * 100000)|replace(old='x', new='y' * 100000)|length }}`,
	"join":                `{{ ('x' * 100000)|list|join('y' * 100000)|length }}`,
	"join letters":        `{{ ('x' * 100000)|join('y' * 100000)|length }}`,
	"format":              `{{ '%1000000000d'|format(1)|length }}`,
	"format, a star":      `{{ '%*d'|format(1000000000, 1)|length }}`,
	"format, precision":   `{{ '%.1000000000f'|format(1.5)|length }}`,
	"format method":       `{{ '{:1000000000}'.format(1)|length }}`,
	"batch":               `{{ [1]|batch(1000000000, 'x')|list|length }}`,
	"slice":               `{{ [1]|slice(1000000000, 'x')|list|length }}`,
	"tojson":              `{{ [1, 2, 3]|tojson(indent=1000000000)|length }}`,
	"round":               `{{ 1.5|round(1000000000) }}`,
	"ljust":               `{{ 'x'.ljust(10000000000)|length }}`,
	"rjust":               `{{ 'x'.rjust(10000000000)|length }}`,
	"zfill":               `{{ 'x'.zfill(10000000000)|length }}`,
	"center method":       `{{ 'x'.center(10000000000)|length }}`,
	"expandtabs":          `{% set a = '\t' * 100000 %}{{ a.expandtabs(100000)|length }}`,
	"replace method":      `{% set a = 'x' * 100000 %}{{ a.replace('x', 'y' * 100000)|length }}`,
	"join method":         `{% set a = 'y' * 100000 %}{{ a.join(('x' * 100000)|list)|length }}`,
	"chain of methods":    `{{ name` + strings.Repeat(".upper()", 2000) + ` }}`,
	"chain of nothing":    `{{ missing` + strings.Repeat(".a()", 2000) + ` }}`,
	"deepest brackets":    `{{ ` + strings.Repeat("(", 19_000) + ` }}`,
	"deep brackets":       `{{ ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + ` }}`,
	"deep sums":           `{{ nosuch|nosuch` + strings.Repeat(" + 1", 4000) + ` }}`,
	"letter by letter":    `{% for a in range(100) %}{% for b in range(100) %}{% if long[b] == 'y' %}{% endif %}{% endfor %}{% endfor %}`,
	"range":               `{{ range(0, 10000000000)|list }}`,
	"divide by nothing":   `{{ 1 % 0 }}`,
}

// What a bomb may allocate in all before it is stopped, which is more than it ever
// holds, and how long the test waits before it calls it hung.
const (
	mayAllocate = 400 << 20
	mayTake     = 30 * time.Second
)

func TestBombs(t *testing.T) {
	for name, source := range bombs {
		t.Run(name, func(t *testing.T) {
			data := decoded(t)
			data["long"] = strings.Repeat("x", 1<<20)
			hung := time.AfterFunc(mayTake, func() { panic("hung on " + name) })
			defer hung.Stop()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out, err := jinja.New().Render(source, data)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Errorf("it was rendered: %.80q", out)
			} else if len(err.Error()) > 100_000 {
				t.Errorf("its error has %d bytes", len(err.Error()))
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > mayAllocate {
				t.Errorf("it allocated %d MiB", used>>20)
			}
			t.Logf("%d KiB, %v", (after.TotalAlloc-before.TotalAlloc)>>10, err)
		})
	}
}

// What people write stays far below the bounds.
func TestBoundsLeaveRoom(t *testing.T) {
	data := decoded(t)
	data["long"] = strings.Repeat("a line of a log\n", 50_000)
	var list []any
	for range 500 {
		list = append(list, map[string]any{"name": "some-run", "state": "Completed", "n": 3})
	}
	data["runs"] = list
	for source, want := range map[string]int{
		`{{ long }}`:               800_000,
		`{{ long|truncate(200) }}`: 190,
		`{{ '-' * 80 }}`:           80,
		`{{ 'x'.ljust(20, ' ') }}|{{ 'x'|center(30) }}`:                                                                    51,
		`{% for r in runs %}{{ r.name|upper }}: {{ r.state.lower() }} {{ r.n + 1 }}{{ "," if not loop.last }}{% endfor %}`: 500*21 + 499,
		`{{ runs|map(attribute='name')|join(', ') }}`:                                                                      500*10 - 2,
		`{{ runs|selectattr('state', 'equalto', 'Completed')|list|length }}`:                                               3,
		`{{ "%-20s|%05d|%.3f"|format("a", 7, 1.5) }}`:                                                                      32,
		`{{ runs|tojson(indent=2) }}`:                                                                                      500 * 30,
	} {
		out, err := jinja.New().Render(source, data)
		if err != nil || len(out) < want {
			t.Errorf("%s: %d bytes, want at least %d; %v", source, len(out), want, err)
		}
	}
}
