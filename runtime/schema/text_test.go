package schema

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestFromText(t *testing.T) {
	s := core.JSON(`{"properties":{
		"s":{"type":"string"},"o":{"anyOf":[{"type":"string"},{"type":"null"}]},"l":{"type":["string","null"]},
		"d":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]},
		"e":{"enum":["1","2"]},"r":{"$ref":"#/definitions/Kind"},"a":{"allOf":[{"$ref":"#/$defs/Kind"}]},"c":{"const":"7"},
		"i":{"type":"integer"},"n":{"type":"number"},"b":{"type":"boolean"},"u":{"anyOf":[{"type":"integer"},{"type":"string"}]},
		"oi":{"anyOf":[{"type":"integer"},{"type":"null"}]},"x":{},"list":{"type":"array"},"round":{"$ref":"#/properties/round"}},
		"definitions":{"Kind":{"enum":["12","x"],"type":"string"}},"$defs":{"Kind":{"type":"string"}}}`)
	for _, c := range []struct{ property, text, want string }{
		{"s", "12", `"12"`}, {"s", "true", `"true"`}, {"s", "null", `"null"`}, {"s", `"q"`, `"\"q\""`}, {"s", `{"a":1}`, `"{\"a\":1}"`},
		{"o", "12", `"12"`}, {"o", "1e3", `"1e3"`}, {"o", "true", `"true"`}, {"o", "null", "null"}, {"o", "[1]", `"[1]"`}, {"o", "x", `"x"`}, {"o", `"q"`, `"\"q\""`},
		{"l", "12", `"12"`}, {"l", "null", "null"}, {"d", "2026", `"2026"`},
		{"e", "1", `"1"`}, {"r", "12", `"12"`}, {"a", "12", `"12"`}, {"c", "7", `"7"`},
		{"i", "12", "12"}, {"i", "x", `"x"`}, {"n", "12", "12"}, {"n", "1.5", "1.5"}, {"b", "true", "true"},
		{"u", "12", "12"}, {"u", "true", `"true"`}, {"u", "1.5", `"1.5"`}, {"u", `"12"`, `"12"`},
		{"oi", "12", "12"}, {"oi", "null", "null"}, {"list", `["a"]`, `["a"]`},
		{"x", "12", "12"}, {"x", "a b", `"a b"`}, {"unknown", "12345678901234567891", "12345678901234567891"}, {"round", "1", "1"},
	} {
		if got := string(FromText(s, c.property, c.text)); got != c.want {
			t.Errorf("%s=%s is %s, want %s", c.property, c.text, got, c.want)
		}
	}
	if got := string(FromText(nil, "x", "12")); got != "12" {
		t.Error("without a schema:", got)
	}
}
