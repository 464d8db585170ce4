package block

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// The sums are what the Python client has for these fields.
func TestBlockChecksum(t *testing.T) {
	for _, c := range []struct{ name, fields, sum string }{
		{"nothing", `{}`, "f8e6e96abbc38504d4e9c99fc57281fa0026bede1fa42db79f22f984501710f4"},
		{"numbers", `{"a": 1.0, "b": 1e+16, "c": 1e-05, "d": 0.0001, "e": 1.2345678901234568e+17, "f": -0.0, "g": 12345678901234567890123, "h": 1.5e+300, "i": 0.1, "j": 1000000000000000.0, "k": 5e-324}`,
			"d1e8c9b5230e1774bdc5c7369252ee6a9f1c2c86a1daed0e3a122a79da50a959"},
		{"letters", `{"s": "h\u00e9llo \u2028 \ud83d\ude00 \"q\" \\ \n\r\t\b\f \u0000\u001f\u007f <>&"}`,
			"839f3247a6924978305c3aa0be2698a3d7e522fdc92db4a045969b0a1889a2e4"},
		{"definitions: of no blocks, reached, with content", `{"definitions": {"A": {"type": "object", "properties": {"b": {"$ref": "#/definitions/B"}}}, "B": {"x": 1, "secret_fields": ["z"]}, "C": {"unused": 1},
			"D": {"block_type_slug": "d", "properties": {"e": {"$ref": "#/definitions/E"}}}, "E": {"y": 1}, "F": {}},
			"properties": {"a": {"$ref": "#/definitions/A"}, "d": {"anyOf": [{"$ref": "#/definitions/D"}, {"type": "null"}]}, "f": {"$ref": "#/definitions/F"}},
			"secret_fields": ["d.k"], "list": [{"secret_fields": ["kept"]}]}`,
			"187a7aeaf8c317cfa01829f3ebec800f073dd443878e73cc41f5e0cf89501403"},
		{"no definitions", `{"x": [true, false, null, [], {}], "definitions": {}}`, "7f7790c66726bfe98c1a20c3834811c72ba0920f1606bd6325c8d1d4e73c8554"},
	} {
		fields, _ := anyOf(core.JSON(c.fields)).(map[string]any)
		if got := blockChecksum(fields); got != "sha256:"+c.sum {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	// A definition that refers to itself must not loop; clients cannot name it either.
	loop, _ := anyOf(core.JSON(`{"definitions":{"A":{"$ref":"#/definitions/A"}},"x":{"$ref":"#/definitions/A"}}`)).(map[string]any)
	blockChecksum(loop)
}

func FuzzBlockChecksum(f *testing.F) {
	f.Add([]byte(`{"a": 1.0, "definitions": {"A": {"$ref": "#/definitions/A"}}, "b": ["x", null, -0, 1e400]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fields, ok := anyOf(core.JSON(b)).(map[string]any)
		if !ok {
			return
		}
		sum := blockChecksum(fields)
		again, _ := anyOf(core.ToJSON(fields)).(map[string]any)
		if blockChecksum(again) != sum {
			t.Fatalf("%s has two checksums", b)
		}
		storedFields(fields)
	})
}
