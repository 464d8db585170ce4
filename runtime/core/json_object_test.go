package core_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// Numbers, order and duplicates of a value that is only passed along.
func TestTreeKeepsWhatIsWritten(t *testing.T) {
	for in, want := range map[string]string{
		`{"z":1.0,"a":{"y":1e400,"b":[12345678901234567890123,-0,{"q":"<&>","c":null}]}}`: "",
		`{"a":1,"b":2,"a":3}`: `{"a":3,"b":2}`,
		` [ ] `:               `[]`,
		`"é\u00e9"`:           `"éé"`,
		`{}`:                  "",
	} {
		v, err := core.JSON(in).Tree()
		if want == "" {
			want = in
		}
		if got := string(core.Encode(v)); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", in, got, err, want)
		}
	}
	for _, bad := range []string{``, `{`, `{"a":1}}`, `[1`, `{"a":1} 2`, `nul`} {
		if v, err := core.JSON(bad).Tree(); err == nil {
			t.Errorf("%q was read as %v", bad, v)
		}
	}
}

func TestObjectChangesOneKey(t *testing.T) {
	o, err := core.JSON(`{"b": 1.0, "a": {"y":1,"x":2}, "c": 3}`).Object()
	if err != nil {
		t.Fatal(err)
	}
	o.Set("a", core.JSON("true"))
	o.Set("d", "new")
	o.Delete("c")
	if got, want := string(o.JSON()), `{"b":1.0,"a":true,"d":"new"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
