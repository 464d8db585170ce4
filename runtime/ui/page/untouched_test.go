package page_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

const generated = 500 // values of each type

// kinds make, for each type of schema, a schema and values as they may be stored.
var kinds = map[string]struct {
	schema string
	value  func(*rand.Rand) string
}{
	"integer":          {`{"type":"integer"}`, anInteger},
	"integer default":  {`{"type":"integer","default":7,"minimum":0,"maximum":9}`, anInteger},
	"number":           {`{"type":"number"}`, aNumber},
	"string":           {`{"type":"string"}`, aString},
	"string default":   {`{"type":"string","default":"d"}`, aString},
	"string pattern":   {`{"type":"string","pattern":"^a+$","minLength":3,"maxLength":9}`, aString},
	"long string":      {`{"type":"string","format":"textarea"}`, aString},
	"password":         {`{"type":"string","format":"password","writeOnly":true}`, aString},
	"boolean":          {`{"type":"boolean"}`, oneOf("true", "false")},
	"boolean default":  {`{"type":"boolean","default":true}`, oneOf("true", "false", "null", `"yes"`, "1")},
	"null":             {`{"type":"null"}`, oneOf("null")},
	"date":             {`{"type":"string","format":"date"}`, aDate},
	"date-time":        {`{"type":"string","format":"date-time"}`, aTime},
	"time":             {`{"type":"string","format":"time"}`, oneOf(`"10:00:00"`, `"10:00:00.123456"`, `"10:00:00+02:00"`, `"x"`)},
	"duration":         {`{"type":"string","format":"duration"}`, oneOf(`"P1D"`, `"PT1.5S"`, `"P3DT12H30M5S"`, `" P1D"`)},
	"duration seconds": {`{"type":"number","format":"time-delta"}`, aNumber},
	"uuid":             {`{"type":"string","format":"uuid"}`, oneOf(`"0198F3C1-0000-7000-8000-000000000000"`, `"0198f3c100007000800000000000000 0"`)},
	"enum":             {`{"enum":["a","b ",1,"1",1.0,null,"",true,{"k":[1]}]}`, oneOf(`"a"`, `"b "`, "1", `"1"`, "1.0", "null", `""`, "true", `{"k": [1]}`, `"gone"`, "12345678901234567890123")},
	"const":            {`{"const":"only"}`, oneOf(`"only"`, `"other"`)},
	"map":              {`{"type":"object","additionalProperties":{"type":"number"}}`, aMap},
	"object":           {placeSchema, anObject},
	"object default":   {strings.TrimSuffix(placeSchema, "}") + `,"default":{"city":"Madrid","n":3,"at":{"x":1}}}`, anObject},
	"$ref":             {`{"$ref":"#/$defs/Place"}`, anObject},
	"allOf":            {`{"allOf":[{"$ref":"#/$defs/Place"}],"title":"P"}`, anObject},
	"optional object":  {`{"anyOf":[{"$ref":"#/$defs/Place"},{"type":"null"}],"default":null}`, anyOf(anObject, oneOf("null"))},
	"optional string":  {`{"anyOf":[{"type":"string"},{"type":"null"}],"default":"d"}`, anyOf(aString, oneOf("null"))},
	"optional integer": {`{"type":["integer","null"]}`, anyOf(anInteger, oneOf("null"))},
	"optional boolean": {`{"anyOf":[{"type":"boolean"},{"type":"null"}],"default":null}`, oneOf("true", "false", "null")},
	"optional time":    {`{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]}`, anyOf(aTime, oneOf("null"))},
	"two types":        {`{"anyOf":[{"type":"integer"},{"type":"string"}]}`, anyOf(anInteger, aString)},
	"anything":         {`{}`, anything},
	"tuple":            {`{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}]}`, aList(anything)},
	"list of objects":  {`{"type":"array","items":{"$ref":"#/$defs/Place"}}`, aList(anObject)},
	"list of lists":    {`{"type":"array","items":{"type":"array","items":{"type":"integer"}}}`, aList(aList(anInteger))},
	"list of optional": {`{"type":"array","items":{"anyOf":[{"type":"string"},{"type":"null"}]}}`, aList(anyOf(aString, oneOf("null")))},
	"list default":     {`{"type":"array","items":{"type":"string"},"default":["a","b"]}`, aList(aString)},
	"set":              {`{"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":2}`, aList(aString)},
}

const placeSchema = `{"type":"object","title":"Place","properties":{"city":{"type":"string","default":"Madrid"},"n":{"type":"integer","default":3},"at":{"$ref":"#/$defs/Point"},"a.b":{"type":"string"},"null":{"type":"string"}},"required":["city"]}`

const pointSchema = `{"type":"object","properties":{"y":{"type":"number","default":0},"x":{"type":"number"}},"required":["x"]}`

func init() {
	for name, item := range map[string]struct {
		schema string
		value  func(*rand.Rand) string
	}{
		"string": {`{"type":"string"}`, aString}, "integer": {`{"type":"integer"}`, anInteger}, "number": {`{"type":"number"}`, aNumber},
		"boolean": {`{"type":"boolean"}`, oneOf("true", "false")}, "date": {`{"type":"string","format":"date"}`, aDate},
		"date-time": {`{"type":"string","format":"date-time"}`, aTime}, "enum": {`{"enum":["a","b",3]}`, oneOf(`"a"`, `"b"`, "3")},
	} {
		kinds["list of "+name] = struct {
			schema string
			value  func(*rand.Rand) string
		}{`{"type":"array","items":` + item.schema + `}`, aList(item.value)}
	}
}

func oneOf(all ...string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return all[r.IntN(len(all))] }
}

func anyOf(all ...func(*rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return all[r.IntN(len(all))](r) }
}

func digits(r *rand.Rand, most int) string {
	b := []byte{byte('1' + r.IntN(9))}
	for range r.IntN(most) {
		b = append(b, byte('0'+r.IntN(10)))
	}
	return string(b)
}

func anInteger(r *rand.Rand) string {
	return anyOf(oneOf("0", "-0", "9007199254740993", "-9223372036854775809", "12345678901234567890123", "2.0", "1e3", `"{{ x }}"`, "null", "true"),
		func(r *rand.Rand) string { return oneOf("", "-")(r) + digits(r, 30) })(r)
}

func aNumber(r *rand.Rand) string {
	return anyOf(anInteger, oneOf("1.0", "1.10", "1E5", "1e-7", "1e400", "0.1e+2", "-0.0", "3.141592653589793238462643383279"),
		func(r *rand.Rand) string { return oneOf("", "-")(r) + digits(r, 12) + "." + digits(r, 20) })(r)
}

func aString(r *rand.Rand) string {
	parts := []string{"a", " ", "  ", "\\n", "\\r\\n", "\\r", "\\t", "\\\"", "\\\\", "<b>", "&amp;", "</textarea>", "é", "\\u00e9", "😀", "\\ud83d\\ude00", "\\ud800",
		"\\u0000", "\\u0007", "\\u007f", "\\u2028", "\u202e", "{{ x }}", "null", "1", ",", "'", "\\/"}
	b := strings.Builder{}
	for range r.IntN(6) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return `"` + b.String() + `"`
}

func aDate(r *rand.Rand) string {
	return anyOf(oneOf(`"2026-02-28"`, `"2026-02-30"`, `" 2026-01-01"`, `"0001-01-01"`, `"12026-01-01"`, `"tomorrow"`, `""`),
		func(r *rand.Rand) string {
			return fmt.Sprintf(`"%04d-%02d-%02d"`, r.IntN(10000), 1+r.IntN(12), 1+r.IntN(28))
		})(r)
}

func aTime(r *rand.Rand) string {
	return fmt.Sprintf(`"%04d-%02d-%02d%s%02d:%02d:%02d%s%s"`, oneYear(r), 1+r.IntN(12), 1+r.IntN(28), oneOf("T", " ")(r), r.IntN(24), r.IntN(60), r.IntN(2)*r.IntN(60),
		oneOf("", ".5", ".123456", ".000001", ".123456789")(r), oneOf("Z", "", "+02:00", "-11:30", "+00:00", " x")(r))
}

func oneYear(r *rand.Rand) int { return []int{1, 1583, 1969, 2026, 2026, 9999}[r.IntN(6)] }

func aList(item func(*rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		items := []string{}
		for range r.IntN(5) {
			items = append(items, item(r))
		}
		return "[" + strings.Join(items, oneOf(",", ", ")(r)) + "]"
	}
}

func aMap(r *rand.Rand) string {
	var members []string
	for i := range r.IntN(5) {
		members = append(members, fmt.Sprintf(`"%s%d": %s`, oneOf("z", "a", "", "é", "a.b")(r), i, aNumber(r)))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func anObject(r *rand.Rand) string {
	members := []string{`"zz":` + anything(r)}
	add := func(name string, value func(*rand.Rand) string) {
		if r.IntN(4) > 0 {
			members = append(members, `"`+name+`":`+value(r))
		}
	}
	add("n", anInteger)
	add("city", aString)
	add("at", anyOf(func(r *rand.Rand) string { return `{"x":` + aNumber(r) + `, "w":1.0}` }, oneOf("null", "{}", "3")))
	add("a.b", aString)
	add("null", aString)
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return anyOf(func(*rand.Rand) string { return "{" + strings.Join(members, ",") + "}" }, oneOf("{}"))(r)
}

func anything(r *rand.Rand) string {
	if r.IntN(5) == 0 {
		return anyOf(aList(aNumber), aMap)(r)
	}
	return anyOf(anInteger, aNumber, aString, oneOf("null", "true"))(r)
}

// A form that is posted as it was shown changes no byte of what is stored, and
// the change of one field none of another.
func TestUntouchedFieldsKeepTheirBytes(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(15, uint64(len(name))))
			schema := `{"type":"object","properties":{"b":{"type":"string"},"x":` + kinds[name].schema + `,"a":{"type":"integer"}},"required":["x"],"$defs":{"Place":` + placeSchema + `,"Point":` + pointSchema + `}}`
			for range generated {
				value := kinds[name].value(r)
				stored := fmt.Sprintf(`{"unknown": 1.0,"x": %s ,"b":"\u0041","a":9007199254740993}`, value)
				f := show(t, schema, stored, zone)
				if got, fs := f.post(t, nil); got != stored {
					t.Fatalf("untouched:\n%s became\n%s\n%+v", stored, got, form.Errors(fs))
				}
				got, fs := f.post(t, url.Values{"b": {"typed"}})
				if want := fmt.Sprintf(`{"unknown":1.0,"x":%s,"b":"typed","a":9007199254740993}`, value); got != want {
					t.Fatalf("another field changed: got\n%s, want\n%s\n%+v", got, want, form.Errors(fs))
				}
			}
			free := strings.Replace(schema, `"required":["x"],`, "", 1)
			if got, fs := show(t, free, `{"b":"B"}`, zone).post(t, nil); got != `{"b":"B"}` {
				t.Errorf("what is not stored became %s, %+v", got, form.Errors(fs))
			}
		})
	}
}

// shown is a form as a browser has it, and what is stored behind it.
type shown struct {
	schema, stored string
	zone           *time.Location
	sends          url.Values // untouched
}

func (f shown) build(t *testing.T) []form.Field {
	t.Helper()
	fs, err := form.Build([]byte(f.schema), nil, core.JSON(f.stored), f.zone)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func show(t *testing.T, schema, stored string, zone *time.Location) shown {
	t.Helper()
	f := shown{schema: schema, stored: stored, zone: zone}
	fs := f.build(t)
	var page bytes.Buffer
	if err := views.Opened(fs).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	if err := views.Fields(fs).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	f.sends = uitest.Posted(t, &page, "")
	return f
}

// post sends the form with what is typed, and returns what is then stored.
func (f shown) post(t *testing.T, typed url.Values) (string, []form.Field) {
	t.Helper()
	q := maps.Clone(f.sends)
	maps.Copy(q, typed)
	fs := f.build(t)
	got, _ := form.Edit(core.JSON(f.stored), fs, q, f.zone)
	return string(got), fs
}
