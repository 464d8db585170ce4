package db

import (
	"encoding/json"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// labelsJSON is what json.Marshal makes of labels, in a third of the time: each
// event has several, and they are encoded while other writers wait.
func labelsJSON(labels map[string]string) core.JSON {
	if labels == nil {
		return core.JSON("null")
	}
	b := make([]byte, 1, 64+48*len(labels))
	b[0] = '{'
	keys := make([]string, 0, 16)
	for k := range labels {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		b = appendString(b, labels[k])
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			q, _ := json.Marshal(s) // a string never fails
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
