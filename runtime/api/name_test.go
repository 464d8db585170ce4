package api

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// A name that stands in URLs is refused when it is given, or the URL finds
// what has it: with each client's way to escape a name.
func TestNamesInURLs(t *testing.T) {
	names := []string{".", "..", "...", "..a", "a/b", "a/../b", "/", "%", "%2e", "%2E%2E", "%2F", "?", "#", "a?b#c", " ", "a b", " a ", "é", "\\", ";", "a;b=c", "+", "~", "'", `"`, "&", "=", ":", "@",
		"name", "filter", "count", "latest", "edit", "new", "-", "_", "a\tb", "日本", "[x]", "{x}", "*"}
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.URL(t))
			flow := w.flow("f")
			w.post(201, "/work_pools/", object{"name": "p", "type": "process"})
			kinds := map[string]struct {
				create func(name string) (int, []byte)
				read   func(segment string) string
			}{
				"flow":       {w.makes("/flows/", nil, "name"), func(s string) string { return "/flows/name/" + s }},
				"deployment": {w.makes("/deployments/", object{"flow_id": flow, "parameter_openapi_schema": object{}}, "name"), func(s string) string { return "/deployments/name/f/" + s }},
				"work pool":  {w.makes("/work_pools/", object{"type": "process"}, "name"), func(s string) string { return "/work_pools/" + s }},
				"work queue": {w.makes("/work_pools/p/queues/", nil, "name"), func(s string) string { return "/work_pools/p/queues/" + s }},
				"variable":   {w.makes("/variables/", object{"value": 1}, "name"), func(s string) string { return "/variables/name/" + s }},
				"limit":      {w.makes("/v2/concurrency_limits/", object{"limit": 1}, "name"), func(s string) string { return "/v2/concurrency_limits/" + s }},
				"tag limit":  {w.makes("/concurrency_limits/", object{"concurrency_limit": 1}, "tag"), func(s string) string { return "/concurrency_limits/tag/" + s }},
				"block type": {w.makes("/block_types/", object{"name": "B"}, "slug"), func(s string) string { return "/block_types/slug/" + s }},
				"artifact":   {w.makes("/artifacts/", object{"data": 1}, "key"), func(s string) string { return "/artifacts/" + s + "/latest" }},
			}
			for kind, k := range kinds {
				for _, name := range names {
					code, body := k.create(name)
					if code == http.StatusUnprocessableEntity || code == http.StatusConflict && kind == "block type" {
						if core.DotSegment(name) && !strings.Contains(string(body), "must") && !strings.Contains(string(body), "is not valid") {
							t.Errorf("%s %q is refused without a reason: %s", kind, name, body)
						}
						continue
					}
					if code >= 300 {
						t.Errorf("%s %q: %d %s", kind, name, code, body)
						continue
					}
					for _, segment := range []string{url.PathEscape(name), core.PathSegment(name)} {
						if code, _, body := w.send("GET", k.read(segment), nil); code != 200 {
							t.Errorf("%s %q was created, and its URL %s answers %d %s", kind, name, k.read(segment), code, body)
						}
					}
				}
			}
			if code, _, _ := w.send("POST", "/work_pools/p/workers/heartbeat", object{"name": ".."}); code != http.StatusUnprocessableEntity {
				t.Errorf("a worker named ..: %d", code)
			}
		})
	}
}

// makes returns what creates a thing of a name.
func (w *fixture) makes(path string, with object, key string) func(name string) (int, []byte) {
	return func(name string) (int, []byte) {
		body := object{key: name}
		maps.Copy(body, with)
		code, _, b := w.send("POST", path, body)
		return code, b
	}
}
