package jinja_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/template"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

const data = `{"name":"world","nul":null,"t":true,"n":3,"f":1.5,"d":{"a":"q","b":2,"k":{"x":1}},"l":["a","b"],
	"event":{"resource":{"prefect.resource.id":"rid"}},"nums":[3,1,2],"objs":[{"a":1},{"a":2}],"big":12345678901234567890,"exact":9007199254740993}`

func decoded(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// What Jinja 3 renders of the same template and data.
func TestRenderAsJinjaDoes(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"plain text", "plain text"},
		{"hello {{ name }}", "hello world"},
		{"{{ missing }}|{{ missing.a.b }}|{{ d.zz.yy['x'] }}|{{ d['nope'] }}", "|||"},
		{"{{ t }}|{{ n }}|{{ f }}", "True|3|1.5"},
		{"{{ d }}", "{'a': 'q', 'b': 2, 'k': {'x': 1}}"},
		{"{{ l }} {{ l | length }} {{ l[0] }} {{ d['a'] }} {{ d.a }} {{ d.k.x }}", "['a', 'b'] 2 a q q 1"},
		{"{% for x in l %}{{ loop.index }}:{{ x }},{% endfor %}", "1:a,2:b,"},
		{"{% for k, v in d.items() %}{{ k }}={{ v }},{% endfor %}", "a=q,b=2,k={'x': 1},"},
		{"{% for x in missing.list %}x{% else %}none{% endfor %}", "none"},
		{"{% if t and not missing %}yes{% else %}no{% endif %}", "yes"},
		{"{{ name | upper }} {{ name | title }} {{ name|default('x') }} {{ missing|default('x') }} {{ missing.y or 'y' }}", "WORLD World world x y"},
		{"{{ l | join(', ') }} {{ 1 + 2 }} {{ 7 // 2 }} {{ 'a' ~ 1 }} {{ n + 1 }}", "a, b 3 3 a1 4"},
		{"{{ name.upper() }} {{ name.split('o') }} {{ d.get('a') }} {{ d.get('zz', 5) }}", "WORLD ['w', 'rld'] q 5"},
		{"{{ event.resource['prefect.resource.id'] }} {{ event.resource.get('prefect.resource.id') }}", "rid rid"},
		{`{{ "%s-%d" | format(name, 3) }} {{ range(3) | list }} {{ range(4, 0, -2) | list }}`, "world-3 [0, 1, 2] [4, 2]"},
		{"{% set a = 5 %}{{ a }} {{ name[0] }} {{ name[1:3] }} {{ 'x' if t else 'y' }}", "5 w or x"},
		{"{{ nums | sum }} {{ nums | max }} {{ nums | sort }} {{ 1 in nums }}", "6 3 [1, 2, 3] True"},
		{"{{ name is defined }} {{ missing is undefined }} {{ d.zz is defined }} {{ nul is none }} {{ nul is defined }}", "True True False True True"},
		{"{{ objs | map(attribute='a') | join(',') }} {{ objs | selectattr('a', 'equalto', 1) | list | length }}", "1,2 1"},
		{"{# c #}a{% raw %}{{ x }}{% endraw %}", "{# c #}a{{ x }}"[len("{# c #}"):]},
		{"{{ '<b>' }} {{ '<b>' | e }}", "<b> &lt;b&gt;"},
		{"{{ big }} {{ exact }}", "12345678901234567890 9007199254740993"},
	} {
		got, err := jinja.New().Render(c.source, decoded(t))
		if err != nil || got != c.want {
			t.Errorf("%s\n got %q, %v\nwant %q", c.source, got, err, c.want)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	for _, source := range []string{
		"{{ range(1000) }}", "{{ missing() }}", "{{ name | nosuch }}",
		"{% include '/etc/passwd' %}", "{% import '/etc/passwd' as x %}", "{% extends '/etc/passwd' %}",
		"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ lipsum(1000) }}",
		"{% for a in range(100) %}{% for b in range(100) %}{{ 'x' * 1000 }}{% endfor %}{% endfor %}",
	} {
		if out, err := jinja.New().Render(source, decoded(t)); err == nil {
			t.Errorf("%s was rendered: %.80q", source, out)
		}
	}
}

func TestValidate(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("{% for x in l %}", n) + strings.Repeat("{% endfor %}", n) }
	for _, c := range []struct {
		source  string
		line    int
		message string // empty: valid
	}{
		{source: ""}, {source: "plain"}, {source: "{{ flow_run.name | upper }}"}, {source: nested(2)},
		{"a {{ name", 1, "'}}' expected"},
		{"a\n\n{% if x %}", 3, "endif"},
		{"x\n{% nosuch %}", 2, "nosuch"},
		{nested(3), 0, "depth of 3"},
		{strings.Repeat("{% for x in l %}{% endfor %}", 11), 0, "Contains 11 for loops"},
		{"{{" + strings.Repeat("(", 200_000), 1, "at most 20000"},
		{"{{ " + strings.Repeat("(", 19_000), 1, ""},
	} {
		err := jinja.New().Validate(c.source)
		e, _ := errors.AsType[*template.Error](err)
		switch {
		case c.line == 0 && c.message == "":
			if err != nil {
				t.Errorf("%.60q: %v", c.source, err)
			}
		case e == nil:
			t.Errorf("%.60q: want an *Error, got %v", c.source, err)
		case e.Line != c.line || !strings.Contains(e.Message, c.message):
			t.Errorf("%.60q: line %d %q, want line %d with %q", c.source, e.Line, e.Message, c.line, c.message)
		}
	}
}

func TestFiltersOfTheCaller(t *testing.T) {
	shout := template.Filters{"shout": func(v any) any {
		if m, ok := v.(map[string]any); ok {
			v = m["a"]
		}
		return fmt.Sprint(v, "!")
	}}
	got, err := jinja.New().Render("{{ name | shout }} {{ d | shout | upper }}", decoded(t), shout)
	if err != nil || got != "world! Q!" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := jinja.New().Render("{{ name | shout }}", decoded(t)); err == nil {
		t.Error("one caller's filter is another's")
	}
}

func FuzzRender(f *testing.F) {
	f.Add("{% for k, v in d.items() %}{{ k ~ v }}{% endfor %}")
	f.Add("{{ (name|upper)[1:] }}{% if n > 2 %}{# c #}{% endif %}")
	f.Fuzz(func(t *testing.T, source string) {
		out, err := jinja.New().Render(source, decoded(t))
		if err != nil && out != "" {
			t.Errorf("%q with %v", out, err)
		}
	})
}
