package form

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// Each case is a property's schema, what the form posts for it (null.x ticks
// the box), and the JSON that comes of it, or the error at the field.
// The schemas are as pydantic and flowlite write them.
func TestCorpus(t *testing.T) {
	const defs = `"$defs":{"Color":{"type":"string","enum":["red","green"]},"Place":{"type":"object","title":"Place","properties":{"city":{"type":"string"},"at":{"$ref":"#/$defs/Point"}},"required":["city"]},
	 "Point":{"type":"object","properties":{"x":{"type":"number"},"y":{"type":"number","default":0}},"required":["x"]},"Node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/Node"},{"type":"null"}],"default":null}}}}`
	for _, c := range []struct{ name, schema, post, want, err string }{
		{"string", `{"type":"string"}`, "x=abc", `{"x":"abc"}`, ""},
		{"string empty", `{"type":"string"}`, "x=", `{}`, ""},
		{"string of a number", `{"type":"string"}`, "x=007", `{"x":"007"}`, ""},
		{"string cleared default", `{"type":"string","default":"d"}`, "x=", `{"x":""}`, ""},
		{"string lengths", `{"type":"string","minLength":2,"maxLength":3}`, "x=é", "", "At least 2 characters; this has 1."},
		{"string too long", `{"type":"string","maxLength":3}`, "x=abcd", "", "At most 3 characters; this has 4."},
		{"pattern", `{"type":"string","pattern":"^a+$"}`, "x=b", "", "Does not match ^a+$."},
		{"pattern that Go has not", `{"type":"string","pattern":"(?=a)a"}`, "x=a", `{"x":"a"}`, ""},
		{"lines", `{"type":"string","format":"textarea"}`, "x=a%0D%0Ab", `{"x":"a\nb"}`, ""},
		{"integer", `{"type":"integer"}`, "x=-3", `{"x":-3}`, ""},
		{"integer beyond floats", `{"type":"integer"}`, "x=9007199254740993", `{"x":9007199254740993}`, ""},
		{"integer with a fraction", `{"type":"integer"}`, "x=2.0", "", "Must be a whole number."},
		{"integer zero", `{"type":"integer","default":5}`, "x=0", `{"x":0}`, ""},
		{"minimum", `{"type":"integer","minimum":1}`, "x=0", "", "Must be at least 1."},
		{"exclusive minimum", `{"type":"number","exclusiveMinimum":0}`, "x=0", "", "Must be more than 0."},
		{"exclusive maximum", `{"type":"number","exclusiveMaximum":1}`, "x=1", "", "Must be less than 1."},
		{"multiple", `{"type":"number","multipleOf":0.1}`, "x=0.3", `{"x":0.3}`, ""},
		{"no multiple", `{"type":"integer","multipleOf":5}`, "x=7", "", "Must be a multiple of 5."},
		{"number", `{"type":"number"}`, "x=1e3", `{"x":1e3}`, ""},
		{"number infinite", `{"type":"number"}`, "x=Inf", "", "Must be a number."},
		{"boolean", `{"type":"boolean"}`, "x=false", `{"x":false}`, ""},
		{"boolean left out", `{"type":"boolean"}`, "x=", `{}`, ""},
		{"boolean required", `!{"type":"boolean"}`, "", "", "Choose one."},
		{"enum of texts", `{"enum":["a","b"],"type":"string"}`, "x=b", `{"x":"b"}`, ""},
		{"enum of numbers", `{"enum":[1,2]}`, "x=2", `{"x":2}`, ""},
		{"enum stranger", `{"enum":["a"]}`, "x=z", "", "Choose one of the listed values."},
		{"enum by reference", `{"$ref":"#/$defs/Color","default":"red"}`, "x=green", `{"x":"green"}`, ""},
		{"enum in allOf", `{"allOf":[{"$ref":"#/$defs/Color"}],"default":"red"}`, "x=green", `{"x":"green"}`, ""},
		{"enum or null", `{"anyOf":[{"$ref":"#/$defs/Color"},{"type":"null"}]}`, "null.x=1&x=red", `{"x":null}`, ""},
		{"const", `{"const":"only"}`, "x=only", `{"x":"only"}`, ""},
		{"const of another kind", `{"const":3}`, "x=4", "", "Choose one of the listed values."},
		{"date", `{"type":"string","format":"date"}`, "x=2026-02-28", `{"x":"2026-02-28"}`, ""},
		{"no such date", `{"type":"string","format":"date"}`, "x=2026-02-30", "", "Use a date like 2026-11-23."},
		{"date-time", `{"type":"string","format":"date-time"}`, "x=2026-07-01T10:00", `{"x":"2026-07-01T08:00:00Z"}`, ""},
		{"date-time with zone", `{"type":"string","format":"date-time"}`, "x=2026-07-01T10:00:00-04:00", `{"x":"2026-07-01T14:00:00Z"}`, ""},
		{"uuid", `{"type":"string","format":"uuid"}`, "x=0198f3c1-0000-7000-8000-000000000000", `{"x":"0198f3c1-0000-7000-8000-000000000000"}`, ""},
		{"null or string, null", `{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}`, "null.x=1&x=typed", `{"x":null}`, ""},
		{"null or string, a value", `{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}`, "x=v", `{"x":"v"}`, ""},
		{"null or string, left out", `{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}`, "x=", `{}`, ""},
		{"null in types", `{"type":["integer","null"]}`, "null.x=1", `{"x":null}`, ""},
		{"null or boolean", `{"anyOf":[{"type":"boolean"},{"type":"null"}]}`, "x=true", `{"x":true}`, ""},
		{"null or list", `{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]}`, "null.x=1", `{"x":null}`, ""},
		{"list of texts", `{"type":"array","items":{"type":"string"}}`, "x=a&x=&x=b", `{"x":["a","b"]}`, ""},
		{"list left out", `{"type":"array","items":{"type":"string"}}`, "x=", `{}`, ""},
		{"list cleared default", `{"type":"array","items":{"type":"string"},"default":["a"]}`, "x=", `{"x":[]}`, ""},
		{"list of numbers", `{"type":"array","items":{"type":"number"}}`, "x=1.5&x=2", `{"x":[1.5,2]}`, ""},
		{"list with a stranger", `{"type":"array","items":{"type":"integer"}}`, "x=1&x=two", "", `"two": Must be a whole number.`},
		{"list of enums", `{"type":"array","items":{"$ref":"#/$defs/Color"}}`, "x=red&x=green", `{"x":["red","green"]}`, ""},
		{"list items bounded", `{"type":"array","items":{"type":"integer","maximum":9}}`, "x=10", "", `"10": Must be at most 9.`},
		{"list too short", `{"type":"array","items":{"type":"string"},"minItems":2}`, "x=a", "", "At least 2 items; this has 1."},
		{"list too long", `{"type":"array","items":{"type":"string"},"maxItems":1}`, "x=a&x=b", "", "At most 1 items; this has 2."},
		{"set", `{"type":"array","uniqueItems":true,"items":{"type":"string"}}`, "x=a&x=a", "", "a is there twice."},
		{"list of dates", `{"type":"array","items":{"type":"string","format":"date"}}`, "x=2026-01-01", `{"x":["2026-01-01"]}`, ""},
		{"list required", `!{"type":"array","items":{"type":"string"}}`, "x=", "", "Add at least one item."},
		{"list of objects", `{"type":"array","items":{"$ref":"#/$defs/Point"}}`, `x=[{"x":1}]`, `{"x":[{"x":1}]}`, ""},
		{"list of objects, no list", `{"type":"array","items":{"$ref":"#/$defs/Point"}}`, `x={"x":1}`, "", "Write a JSON list: [ … ]."},
		{"list of lists", `{"type":"array","items":{"type":"array","items":{"type":"integer"}}}`, `x=[[1],[2]]`, `{"x":[[1],[2]]}`, ""},
		{"list of anything", `{"type":"array"}`, `x=[1,"a"]`, `{"x":[1,"a"]}`, ""},
		{"tuple", `{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"minItems":2,"maxItems":2}`, `x=[1,"a"]`, `{"x":[1,"a"]}`, ""},
		{"object", `{"$ref":"#/$defs/Place"}`, "x.city=Madrid&x.at.x=1&x.at.y=2", `{"x":{"city":"Madrid","at":{"x":1,"y":2}}}`, ""},
		{"object within, its error", `!{"$ref":"#/$defs/Place"}`, "x.city=Madrid&x.at.x=east", "", "x.at.x: Must be a number."},
		{"object within, required", `!{"$ref":"#/$defs/Place"}`, "x.city=&x.at.x=1", "", "x.city: Required."},
		{"object or null", `{"anyOf":[{"$ref":"#/$defs/Point"},{"type":"null"}]}`, `x={"x":1}`, `{"x":{"x":1}}`, ""},
		{"object or null, null", `{"anyOf":[{"$ref":"#/$defs/Point"},{"type":"null"}]}`, "null.x=1", `{"x":null}`, ""},
		{"object or null, a list", `{"anyOf":[{"$ref":"#/$defs/Point"},{"type":"null"}]}`, "x=[1]", "", "Write a JSON object: { … }."},
		{"object that holds itself", `{"$ref":"#/$defs/Node"}`, `x.v=1&x.next={"v":2}`, `{"x":{"v":1,"next":{"v":2}}}`, ""},
		{"map", `{"type":"object","additionalProperties":{"type":"integer"}}`, `x={"a":1}`, `{"x":{"a":1}}`, ""},
		{"map, a text", `{"type":"object","additionalProperties":{"type":"integer"}}`, `x="a"`, "", "Write a JSON object: { … }."},
		{"two types", `{"anyOf":[{"type":"integer"},{"type":"string"}]}`, `x="5"`, `{"x":"5"}`, ""},
		{"two types, the other", `{"anyOf":[{"type":"integer"},{"type":"string"}]}`, `x=5`, `{"x":5}`, ""},
		{"two types and null", `{"anyOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}`, `null.x=1`, `{"x":null}`, ""},
		{"oneOf", `{"oneOf":[{"$ref":"#/$defs/Point"},{"$ref":"#/$defs/Place"}]}`, `x={"city":"Rome"}`, `{"x":{"city":"Rome"}}`, ""},
		{"anything", `{}`, `x={"a":[null]}`, `{"x":{"a":[null]}}`, ""},
		{"anything broken", `{}`, `x={a}`, "", "Not valid JSON: invalid character 'a' looking for beginning of object key string"},
		{"unknown reference", `{"$ref":"#/$defs/Gone"}`, `x=1`, `{"x":1}`, ""},
	} {
		required := strings.HasPrefix(c.schema, "!")
		whole := `{"type":"object","properties":{"x":` + strings.TrimPrefix(c.schema, "!") + `},` + map[bool]string{true: `"required":["x"],`}[required] + defs + `}`
		madrid, err := time.LoadLocation("Europe/Madrid")
		if err != nil {
			t.Fatal(err)
		}
		fs, err := Build([]byte(whole), nil, nil, madrid)
		if err != nil || len(fs) != 1 {
			t.Errorf("%s: %v, %d fields", c.name, err, len(fs))
			continue
		}
		q := url.Values{}
		for part := range strings.SplitSeq(c.post, "&") {
			k, v, _ := strings.Cut(part, "=")
			if v, err = url.PathUnescape(v); k != "" && err == nil {
				q.Add(k, v)
			}
		}
		got, ok := Decode(nil, fs, q, madrid)
		if c.err != "" {
			errs, want := Errors(fs), c.err
			path := "x"
			if p, rest, nested := strings.Cut(c.err, ": "); nested && strings.HasPrefix(p, "x.") {
				path, want = p, rest
			}
			if ok || len(errs) != 1 || errs[0].Error != want || errs[0].Path != path {
				t.Errorf("%s: ok %t, %+v; want %q at %s", c.name, ok, errs, want, path)
			}
			continue
		}
		if !ok || string(got) != c.want {
			t.Errorf("%s: %s %+v, want %s", c.name, got, Errors(fs), c.want)
		}
	}
}
