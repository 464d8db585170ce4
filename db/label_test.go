package db

import (
	"encoding/json"
	"testing"
)

func TestLabelsAreAsJSONMakesThem(t *testing.T) {
	for _, m := range []map[string]string{
		nil, {}, {"b": "1", "a": "2"}, {"quote\"": "back\\slash", "tag": "<b>&", "ü": "日本\u2028", "bad": "\xff", "nul": "\x00\n", "": ""},
	} {
		want, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := labelsJSON(m); string(got) != string(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
