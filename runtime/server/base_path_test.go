package server

import (
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// Under a base path the pages and the API answer with it, for a proxy that
// leaves it, and without it, for one that cuts it off and for workers here.
func TestBasePath(t *testing.T) {
	cfg := testConfig(t)
	cfg.BasePath = "/tools/flowlite/"
	s := start(t, cfg)
	if !strings.HasSuffix(s.URL(), "/tools/flowlite") || !strings.HasSuffix(s.APIURL(), "/api") || strings.Contains(s.APIURL(), "tools") {
		t.Error(s.URL(), s.APIURL())
	}
	root := strings.TrimSuffix(s.URL(), "/tools/flowlite")
	for _, path := range []string{"/tools/flowlite", "/tools/flowlite/", "/tools/flowlite/dashboard", "/dashboard"} {
		code, body, _ := get(t, root+path, nil)
		if code != 200 || !strings.Contains(body, `href="/tools/flowlite/runs"`) {
			t.Errorf("%s: %d", path, code)
		}
	}
	for _, path := range []string{"/tools/flowlite/api/health", "/api/health"} {
		if code, body, _ := get(t, root+path, nil); code != 200 || body != "true" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _, _ := get(t, root+"/tools/flowlitex", nil); code != 404 {
		t.Error(code)
	}
	for _, bad := range []string{"flowlite", "/a b", "//evil.example", "/a/../b?x", "http://x/y"} {
		c := testConfig(t)
		c.BasePath = bad
		if _, err := New(c); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "/flowlite") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
