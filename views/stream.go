package views

import (
	"encoding/json"

	"github.com/flowlite/flowlite/runtime/core"
)

// streamText is an entry on one line: a text as it is, other values as JSON.
func streamText(v core.JSON) string {
	var s string
	if json.Unmarshal(v, &s) != nil {
		s = string(v)
	}
	return short(s)
}
