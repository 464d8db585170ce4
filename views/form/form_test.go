package form

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const schema = `{"type":"object","properties":{
 "name":{"type":"string","position":0,"minLength":3,"pattern":"^[a-z]+$"},
 "n":{"type":"integer","position":1,"minimum":1,"maximum":9,"default":3},
 "share":{"type":"number","position":2},
 "dry":{"type":"boolean","position":3},
 "kind":{"enum":[1,2,"x"],"position":4},
 "at":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}],"default":null,"position":5},
 "ids":{"type":"array","items":{"type":"integer"},"position":6},
 "place":{"$ref":"#/definitions/Place","position":7},
 "extra":{"type":"object","position":8,"default":{"k":1}},
 "tree":{"$ref":"#/definitions/Tree","position":9},
 "maybe":{"type":["string","null"],"position":10}},
 "required":["name","dry"],
 "definitions":{"Place":{"type":"object","properties":{"city":{"type":"string","default":"Madrid"},"zip":{"type":"integer"}},"required":["zip"]},
  "Tree":{"type":"object","properties":{"left":{"$ref":"#/definitions/Tree"}}}}}`

func build(t *testing.T, defaults, values string) []Field {
	t.Helper()
	fs, err := Build([]byte(schema), core.JSON(defaults), core.JSON(values), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestBuild(t *testing.T) {
	fs := build(t, `{"share":0.5}`, `{"name":"abc","place":{"zip":28001}}`)
	want := map[string]struct {
		kind  Kind
		value string
	}{
		"name": {String, "abc"}, "n": {Integer, "3"}, "share": {Number, "0.5"}, "dry": {Boolean, ""}, "kind": {Enum, ""},
		"at": {DateTime, ""}, "ids": {List, ""}, "place": {Object, ""}, "extra": {JSON, "{\n  \"k\": 1\n}"}, "tree": {Object, ""}, "maybe": {String, ""},
	}
	for _, f := range fs {
		if w := want[f.Name]; f.Kind != w.kind || f.Value != w.value {
			t.Errorf("%s: %s %q, want %+v", f.Name, f.Kind, f.Value, w)
		}
	}
	if len(fs) != len(want) || fs[0].Name != "name" || fs[10].Name != "maybe" {
		t.Error("order")
	}
	if p := fs[7]; p.Fields[1].Value != "28001" || p.Fields[0].Value != "Madrid" || p.Fields[1].Path != "place.zip" {
		t.Errorf("%+v", p.Fields)
	}
	if !fs[5].IsNull || !fs[5].Nullable || !fs[10].Nullable || fs[2].Required {
		t.Error("null and required")
	}
}

func TestDecode(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	fs := build(t, "", "")
	got, ok := Decode(nil, fs, url.Values{
		"name": {"abc"}, "share": {"0.10"}, "dry": {"false"}, "kind": {"2"}, "at": {"2026-07-01T10:00"}, "ids": {"1", " ", "22"},
		"place.city": {""}, "place.zip": {"28001"}, "extra": {`{"a":[1,null]}`}, "null.maybe": {"1"},
	}, madrid)
	if !ok {
		t.Fatal(Errors(fs))
	}
	want := `{"name":"abc","n":3,"share":0.10,"dry":false,"kind":2,"at":"2026-07-01T08:00:00Z","ids":[1,22],"place":{"city":"","zip":28001},"extra":{"a":[1,null]},"maybe":null}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"name", "", "Required."}, {"name", "ab", "At least 3 characters; this has 2."}, {"name", "AB9", "Does not match ^[a-z]+$."},
		{"n", "2.5", "Must be a whole number."}, {"n", "0", "Must be at least 1."}, {"n", "10", "Must be at most 9."},
		{"share", "NaN", "Must be a number."}, {"share", "x", "Must be a number."}, {"dry", "", "Choose one."}, {"dry", "maybe", "Choose one."},
		{"kind", "3", "Choose one of the listed values."}, {"at", "tomorrow", "Use a date and time like 2026-11-23T09:00."},
		{"ids", "1x", `"1x": Must be a whole number.`}, {"place.zip", "", "Required."}, {"extra", "{", "Not valid JSON: unexpected end of JSON input"},
	} {
		fs := build(t, "", "")
		q := url.Values{"name": {"abc"}, "dry": {"true"}, "place.zip": {"1"}}
		q.Set(c.field, c.value)
		_, ok := Decode(nil, fs, q, time.UTC)
		errs := Errors(fs)
		if ok || len(errs) != 1 || errs[0].Path != c.field || errs[0].Error != c.want {
			t.Errorf("%s=%q: %v %+v", c.field, c.value, ok, errs)
			continue
		}
		if c.field != "ids" && errs[0].Value != c.value {
			t.Errorf("%s: what was typed is lost: %q", c.field, errs[0].Value)
		}
	}
}

func TestMark(t *testing.T) {
	fs := build(t, "", "")
	rest := Mark(fs, []core.FieldError{{Loc: []any{"body", "parameters", "place", "zip"}, Msg: "bad zip"}, {Loc: []any{"ids", 0}, Msg: "bad id"}, {Loc: []any{"nowhere"}, Msg: "other"}})
	if fs[7].Fields[1].Error != "bad zip" || fs[6].Error != "bad id" || len(rest) != 1 {
		t.Errorf("%+v %v", Errors(fs), rest)
	}
}

func TestHostileSchemas(t *testing.T) {
	for _, s := range []string{``, `null`, `{}`, `[]`, `{"properties":7}`, `{"$ref":"#/definitions/A","definitions":{"A":{"$ref":"#/definitions/A"}}}`,
		`{"properties":{"a":{"type":7,"enum":[null,{}]},"<b>":{"type":"string"},"c":{"anyOf":[]},"d":{"anyOf":[{"type":"null"}]},"e":{"allOf":[{"$ref":"#/none"}]}}}`} {
		fs, err := Build([]byte(s), nil, nil, time.UTC)
		if err == nil {
			Decode(nil, fs, url.Values{"a": {"x"}, "<b>": {"y"}}, time.UTC)
		}
	}
}

// A person's change of one control changes that value, and says what becomes of
// a default.
func TestEdit(t *testing.T) {
	const schema = `{"type":"object","properties":{
	 "text":{"type":"string"},"note":{"type":"string","default":"d"},"n":{"type":"integer","default":5},"list":{"type":"array","items":{"type":"string"},"default":["x"]},
	 "place":{"$ref":"#/$defs/Place","default":{"city":"Madrid","zip":1}},"at":{"type":"string","format":"date-time"},"big":{"type":"integer"},"ratio":{"type":"number"}},
	 "$defs":{"Place":{"type":"object","properties":{"zip":{"type":"integer"},"city":{"type":"string"}}}}}`
	for _, c := range []struct{ name, stored, post, want, err string }{
		{"lines keep their ends", `{"text":"a\r\nb"}`, "text=a%0D%0Ab%0D%0Ac", `{"text":"a\r\nb\r\nc"}`, ""},
		{"plain lines keep theirs", `{"text":"a\nb"}`, "text=a%0D%0Ab%0D%0Ac", `{"text":"a\nb\nc"}`, ""},
		{"blanks are typed, too", `{"text":"a"}`, "text=+a+", `{"text":" a "}`, ""},
		{"a cleared text", `{"note":"n"}`, "note=", `{"note":""}`, ""},
		{"a cleared number is unset", `{"n":7}`, "n=", `{}`, ""},
		{"a cleared default stays what it is", `{}`, "n=", ``, "Must be a number; its default is 5."},
		{"an item is added", `{"list":["a",""," b"]}`, "list=a&list=&list=+b&list=c&list=", `{"list":["a",""," b","c"]}`, ""},
		{"an item is cleared", `{"list":["a","b"]}`, "list=&list=b", `{"list":["b"]}`, ""},
		{"all items are cleared", `{"list":["a"]}`, "list=&list=", `{"list":[]}`, ""},
		{"a default list is cleared", `{}`, "list=", `{"list":[]}`, ""},
		{"an object is cleared", `{"place":{"zip":3,"city":"Rome"}}`, "place.zip=&place.city=", `{"place":{}}`, ""},
		{"a default object is cleared", `{}`, "place.zip=&place.city=", `{"place":{}}`, ""},
		{"a default object is changed", `{}`, "place.zip=2&place.city=Madrid", `{"place":{"city":"Madrid","zip":2}}`, ""},
		{"other keys of an object", `{"place":{"other":1.0,"zip":3}}`, "place.zip=4", `{"place":{"other":1.0,"zip":4}}`, ""},
		{"a time is changed", `{"at":"2026-07-01T10:00:00.5+02:00"}`, "at=2026-07-01T11:00", `{"at":"2026-07-01T11:00:00Z"}`, ""},
		{"large numbers", `{}`, "big=12345678901234567890123&ratio=1.10", `{"big":12345678901234567890123,"ratio":1.10}`, ""},
		{"numbers as people write them", `{}`, "big=%2B007&ratio=.5", `{"big":7,"ratio":0.5}`, ""},
	} {
		fs, err := Build([]byte(schema), nil, core.JSON(c.stored), time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		q, err := url.ParseQuery(c.post)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Edit(core.JSON(c.stored), fs, q, time.UTC)
		if c.err != "" {
			if errs := Errors(fs); ok || len(errs) != 1 || errs[0].Error != c.err {
				t.Errorf("%s: %v %+v", c.name, ok, errs)
			}
		} else if !ok || string(got) != c.want {
			t.Errorf("%s: got %s %+v, want %s", c.name, got, Errors(fs), c.want)
		}
	}
}

// The order of definition holds at every depth, in $defs, too.
func TestOrderOfDefinition(t *testing.T) {
	const inner = `{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"},"m":{"type":"string"}}}`
	fs, err := Build([]byte(`{"type":"object","properties":{"second":{"$ref":"#/$defs/P","position":1},"first":`+inner[:len(inner)-1]+`,"position":0}},"$defs":{"P":`+inner+`}}`), nil, nil, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range fs {
		names = append(names, f.Name)
		for _, x := range f.Fields {
			names = append(names, x.Name)
		}
	}
	if got := strings.Join(names, " "); got != "first z a m second z a m" {
		t.Error(got)
	}
}
