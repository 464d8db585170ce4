package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

type address struct {
	City string `json:"city"`
}

type params struct {
	A    int       `json:"a" jsonschema:"default=1,description=first summand,minimum=0"`
	B    int       `json:"b"`
	Mode string    `json:"mode" jsonschema:"enum=fast,enum=slow,default=fast"`
	To   address   `json:"to,omitempty"`
	When time.Time `json:"when,omitzero"`
	Note *string   `json:"note"`
}

func TestValidate(t *testing.T) {
	s, err := Of(reflect.TypeFor[params]())
	if err != nil {
		t.Fatal(err)
	}
	m := s.Map()
	b := m["properties"].(map[string]any)["b"].(map[string]any)
	if m["title"] != "Parameters" || b["position"] != json.Number("1") || b["title"] != "b" || b["type"] != "integer" {
		t.Errorf("%s", s)
	}
	if r := m["required"].([]any); len(r) != 1 || r[0] != "b" {
		t.Errorf("required %v", r)
	}
	for in, want := range map[string]string{
		`{"b":2}`:                      "",
		`{"b":2,"note":null,"a":null}`: "",
		`{"b":"x"}`:                    `parameter "b" must be an integer, got "x"`,
		`{"b":2,"a":"x"}`:              `parameter "a" must be an integer, got "x"`,
		`{"b":2,"a":-1}`:               `parameter "a" must be at least 0, got -1`,
		`{}`:                           `parameter "b" is missing; it has no default, so give it a value`,
		`{"b":2,"nota":"x"}`:           `parameter "nota" is not known; did you mean "note"?`,
		`{"b":2,"mode":"x"}`:           `parameter "mode" must be one of "fast", "slow", got "x"`,
		`{"b":2,"to":{"city":1}}`:      `parameter "to.city" must be a string, got 1`,
		`[]`:                           `parameters must be an object of names and values`,
	} {
		got := ""
		for _, f := range Validate(s, core.JSON(in), true) {
			got += f.Msg
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if e := Validate(s, core.JSON(`{}`), false); e != nil {
		t.Errorf("partial: %v", e)
	}
	if got := Defaults(s, core.JSON(`{"b":2}`)).Map(); got["a"] != json.Number("1") || got["mode"] != "fast" || got["b"] != json.Number("2") {
		t.Errorf("defaults: %v", got)
	}
}

func TestPythonSchemas(t *testing.T) {
	s := core.JSON(`{"title":"Parameters","type":"object","properties":{
		"pair":{"type":"array","items":[{"type":"integer"},{"type":"string"}],"position":0},
		"x":{"anyOf":[{"type":"integer"},{"type":"string"}]},"who":{"$ref":"#/definitions/W"}},
		"required":["x"],"definitions":{"W":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}}`)
	for in, want := range map[string]string{
		`{"x":1,"pair":[1,"a"],"extra":1}`: "",
		`{"x":1,"pair":["a","a"]}`:         `parameter "pair.0" must be an integer, got "a"`,
		`{"x":[]}`:                         `parameter "x" must be an integer or a string, got []`,
		`{"x":1,"who":{}}`:                 `parameter "who.n" is missing; it has no default, so give it a value`,
		`{"x":1,"who":null}`:               "",
	} {
		got := ""
		for _, f := range Validate(s, core.JSON(in), true) {
			got += f.Msg
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if e := Validate(core.JSON(`{"$ref":"file:///etc/passwd"}`), nil, true); len(e) != 1 || !strings.Contains(e[0].Msg, "only references within") {
		t.Errorf("%v", e)
	}
	if _, err := Of(reflect.TypeFor[struct{ C chan int }]()); core.CodeOf(err) != core.EInvalid {
		t.Error(err)
	}
	if _, err := Of(reflect.TypeFor[int]()); core.CodeOf(err) != core.EInvalid {
		t.Error(err)
	}
}

type wide struct {
	Zeta  int64   `json:"zeta" jsonschema:"default=9007199254740993,minimum=-9007199254740993"`
	Alpha float64 `json:"alpha" jsonschema:"default=1.0"`
	Small float64 `json:"small" jsonschema:"default=0.1234567890123456789"`
	Big   uint64  `json:"big" jsonschema:"default=18446744073709551615"`
	Beta  nested  `json:"beta"`
	List  []int64 `json:"list,omitempty"`
}

type nested struct {
	Second string `json:"second"`
	First  int    `json:"first"`
	Deep   *deep  `json:"deep,omitempty"`
}

type deep struct {
	Z, Y, X int
}

// Defaults keep their digits, and fields the order of their definition, at
// every depth; also where a store sorts the keys.
func TestSchemaOfKeepsNumbersAndOrder(t *testing.T) {
	s, err := Of(reflect.TypeFor[wide]())
	if err != nil {
		t.Fatal(err)
	}
	text := string(s)
	at := -1
	for _, want := range []string{`"zeta":{"type":"integer"`, `"minimum":-9007199254740993`, `"default":9007199254740993`, `"alpha":`, `"default":1.0,`, `"small":`, `"default":0.1234567890123456789`, `"big":`, `"default":18446744073709551615`} {
		i := strings.Index(text, want)
		if i < at {
			t.Errorf("%s is not where it belongs in %s", want, text)
		}
		at = i
	}
	for _, want := range []string{`"second":{"type":"string","position":0}`, `"first":{"type":"integer","position":1}`, `"Z":{"type":"integer","position":0}`, `"X":{"type":"integer","position":2}`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if got := string(Defaults(s, core.JSON(`{"list":[1.0],"big":2}`))); got != `{"list":[1.0],"big":2,"zeta":9007199254740993,"alpha":1.0,"small":0.1234567890123456789}` {
		t.Error(got)
	}
}
