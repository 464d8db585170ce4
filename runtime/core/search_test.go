package core

import "testing"

func TestSearch(t *testing.T) {
	const text = `The connection to Postgres timed out "late"`
	for query, want := range map[string]bool{
		"": true, "error connection": true, "error": false, "CONNECTION": true, "connection -postgres": false, "connection !mysql": true,
		`"timed out"`: true, `"out timed"`: false, "+connection +postgres": true, "+connection +mysql": false, "-": false, `"\"late\""`: true,
		`-"timed out"`: false, "- connection": true, `"to postgres`: true, "+": false,
	} {
		if got := (&Search{query}).Terms().Match(text); got != want {
			t.Errorf("%q: %v", query, got)
		}
	}
}
