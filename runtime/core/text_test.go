package core

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a", "a\x00b": "a\uFFFDb", "a\xffb": "a\uFFFDb", "\x00\xff\xfe\xfd": "\uFFFD\uFFFD", "💥\t\n": "💥\t\n", "\xed\xa0\x80": "\uFFFD",
	} {
		if got := CleanText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A cleaned JSON text means what it meant, but for what cannot be stored.
func FuzzCleanJSON(f *testing.F) {
	for in, want := range map[string]string{
		`["\u0000","\\u0000","\ud800x","\ud83d\ude00","\udc00","a"]`: `["\ufffd","\\u0000","\ufffdx","\ud83d\ude00","\ufffd","a"]`,
		`"\\\u0000"`: `"\\\ufffd"`, `{"\uD800":"\uDBFF\uDFFF\ud800"}`: `{"\ufffd":"\uDBFF\uDFFF\ufffd"}`, `"\n\"\ud800\u0041"`: `"\n\"\ufffd\u0041"`,
		"\"\xff\"": "\"\uFFFD\"", `"\u00`: `"\u00`, `"\`: `"\`, ``: ``,
	} {
		if got := string(CleanJSON(JSON(in))); got != want {
			f.Errorf("%s: %s, want %s", in, got, want)
		}
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after any
		if json.Unmarshal(b, &before) != nil {
			return
		}
		clean := CleanJSON(b)
		if err := json.Unmarshal(clean, &after); err != nil || !utf8.Valid(clean) || badEscape(clean, 0) >= 0 {
			t.Fatalf("%q became %q: %v", b, clean, err)
		}
	})
}

func TestCheckJSON(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for _, in := range []string{
		`{}`, `"[[[["`, nested(MaxDepth), strings.Repeat("[],", 1000) + "[]", `[1e308,-1E-300,1.5,-0,"1e999"]`, strings.Repeat("9", MaxNumber), `"\"[`, `"`, `{"a\\":"}"}`,
	} {
		if err := CheckJSON([]byte(in)); err != nil {
			t.Errorf("%.40s: %v", in, err)
		}
	}
	for in, where := range map[string]string{
		nested(MaxDepth + 1):                          `["body","a","a"]`,
		`{"x":{"y":1},"b":["a",1e400]}`:               `["body","b",1]`,
		`[0,{"b":` + strings.Repeat("9", 5000) + `}]`: `["body",1,"b"]`,
		`1e-100000`: `["body"]`, `-1e99999999999999999999`: `["body"]`,
	} {
		err := CheckJSON([]byte(in))
		e, ok := err.(*Error) //nolint:errorlint // not wrapped
		if !ok || e.Code != EInvalid || string(ToJSON(e.Fields[0].Loc)) != where {
			t.Errorf("%.40s: %v %+v, want %s", in, err, e, where)
		}
	}
}

// A text that is too long is refused with its field, the limit, and its length.
func TestLimit(t *testing.T) {
	for _, l := range Limits {
		if err := l.Check(strings.Repeat("x", l.Bytes), ""); err != nil {
			t.Error(err)
		}
		err := l.Check("", strings.Repeat("é", l.Bytes/2+1))
		e, ok := err.(*Error) //nolint:errorlint // not wrapped
		if !ok || e.Code != EInvalid || len(e.Fields) != 1 || e.Fields[0].Loc[1] != l.Field || !utf8.ValidString(e.Fields[0].Input.(string)) {
			t.Errorf("%s %s: %v", l.Record, l.Field, err)
		}
	}
}

func TestParseTimeBounds(t *testing.T) {
	for s, want := range map[string]bool{
		"0001-01-01T00:00:01Z": true, "9999-12-31T23:59:59.999999Z": true, "0000-12-31T23:59:59Z": false, "0001-01-01T00:00:00+14:00": false, "9999-12-31T23:59:59-14:00": false,
	} {
		if _, err := ParseTime(s); (err == nil) != want {
			t.Errorf("%s: %v", s, err)
		}
	}
	for s, want := range map[string]bool{`253402300799000`: true, `-1e300`: false, `1e300`: false, `-62135596801`: false} {
		var at Time
		if err := at.UnmarshalJSON([]byte(s)); (err == nil) != want {
			t.Errorf("%s: %v %v", s, at, err)
		}
	}
}
