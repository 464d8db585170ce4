package api

import (
	"math/rand/v2"
	"strings"
)

// hostileValues are JSON texts, some not valid.
func hostileValues(r *rand.Rand) []string {
	random := func(n int) string { // not to be compressed
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[r.IntN(64)]
		}
		return `"` + string(b) + `"`
	}
	wide := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteRune(rune(0x4e00 + r.IntN(0x5000)))
		}
		return `"` + b.String() + `"`
	}
	nested := func(n int, open, shut string) string {
		return strings.Repeat(open, n) + "1" + strings.Repeat(shut, n)
	}
	all := []string{
		`""`, `" "`, `"\t"`, `"\n"`, `"\r\n"`, `"\u0000"`, `"a\u0000b"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud83d\ude00"`,
		`"\ud83dx"`, "\"\xff\xfe\"", "\"a\x00b\"",
		"\"\xed\xa0\x80\"", `"\u0001\u001b[31m"`, `"\u2028\u2029"`, `"\ufeff"`, `"\ufffe\uffff"`, `"\u202e"`, `"\\"`, `"\\u0000"`,
		`"\""`, `"'"`, `"%"`, `"_"`, `"a/b"`, `".."`, `"."`,
		`"/"`, `"💥"`, `"a\u0301"`, `"{{ x }}"`, `"{% for %}"`, `"$.a"`, `"[0]"`, `"null"`, `"<script>"`,
		`"'; DROP TABLE flow; --"`, `"true"`, `"None"`, `"*"`, `"!*"`, `"!"`,
		`0`, `-1`, `-0`, `1`, `1.0`, `1.5`, `1e2`, `1E+2`, `1e308`, `1e309`, `-1e400`, `1e-400`, `1e99999`, `1e131072`,
		`1e999999999`, `9007199254740993`, `2147483648`, `-2147483649`,
		`9223372036854775807`, `9223372036854775808`, `-9223372036854775809`, `0.1000000000000000055511151231257827`,
		strings.Repeat("9", 400), strings.Repeat("9", 5000),
		"0." + strings.Repeat("0", 20000) + "1", `NaN`, `Infinity`, `-Infinity`, `"NaN"`, `"1e5"`, `01`, `+1`, `1.`,
		`null`, `true`, `false`, `[]`, `{}`, `[[]]`, `[null]`, `[{}]`, `{"":""}`, `{"a\u0000":1}`, `{"\ud800":"\ud800"}`,
		`{"\\":"\\"}`, `{"\"":"\""}`, `{"$.a[0]":1}`, `{"a":1,"a":2}`,
		`{"a.b":{"c":null}}`, `{"__proto__":{}}`, `{"$ref":"#/x"}`, `{"__prefect_kind":"jinja","template":"{{ x"}`,
		`{"__prefect_kind":"json","value":"{"}`, `{"a":"\u0000"}`, `["\u0000"]`, `["a","a"]`,
		nested(20, "[", "]"), nested(70, "[", "]"), nested(300, "[", "]"), nested(1200, "[", "]"), nested(9000, "[", "]"),
		nested(200000, "[", "]"),
		nested(20, `{"a":`, "}"), nested(70, `{"a":`, "}"), nested(300, `{"a":`, "}"), nested(1200, `{"a":`, "}"),
		nested(9000, `{"a":`, "}"),
		`["` + strings.Repeat(`a","`, 40000) + `a"]`, `["` + strings.Repeat(`11111111-1111-4111-8111-111111111111","`,
			40000) + `11111111-1111-4111-8111-111111111111"]`,
		"[" + strings.Repeat("0,", 5000) + "0]",
		`"0000-01-01T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"0001-01-01T00:00:00+14:00"`, `"-0001-01-01T00:00:00Z"`,
		`"9999-12-31T23:59:59.999999Z"`, `"9999-12-31T23:59:59-14:00"`,
		`"10000-01-01T00:00:00Z"`, `"1969-12-31T23:59:59Z"`, `"1582-10-10T00:00:00Z"`, `"2026-02-30T00:00:00Z"`, `"2026-01-01"`,
		`"2026-01-01T24:00:00Z"`, `"2026-06-30T23:59:60Z"`,
		`"2026-01-01T00:00:00+25:00"`, `"infinity"`, `"now"`, `1e18`, `-1e18`, `253402300800`, `-62135596801`,
		`"00000000-0000-0000-0000-000000000000"`, `"01A20763-4BFB-7F42-8BFA-A466036F7683"`, `"01a207634bfb7f428bfaa466036f7683"`,
		`"{01a20763-4bfb-7f42-8bfa-a466036f7683}"`,
		`{"type":"RUNNING"}`, `{"any_":["\u0000"]}`, `{"any_":[]}`, `{"operator":"x"}`, `{`, `]`, ``, `"`, `"\x"`, `'a'`, `1 2`,
	}
	for _, n := range []int{100, 256, 500, 1024, 1300, 2000, 2100, 2600, 2800, 8000, 70000} {
		all = append(all, random(n))
	}
	for _, n := range []int{100, 400, 700, 900, 3000} {
		all = append(all, wide(n))
	}
	all = append(all, random(1<<20), "["+random(3000)+"]", "{"+random(3000)+":"+random(3000)+"}")
	return all
}
