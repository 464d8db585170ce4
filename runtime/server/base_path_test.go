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

// The address that people use is shown, and begins links in notifications.
func TestPublicURL(t *testing.T) {
	cfg := testConfig(t)
	cfg.PublicURL = "https://flows.example.com/flowlite/"
	s := start(t, cfg)
	if code, body, _ := get(t, s.URL()+"/settings", nil); code != 200 || !strings.Contains(body, "<dd>https://flows.example.com/flowlite</dd>") {
		t.Errorf("%d: the settings do not tell the address", code)
	}
	for _, bad := range []string{"flows.example.com", "ftp://x", "https://", "https://u:p@x", "https://x/?q", "https://x/#f", ":"} {
		c := testConfig(t)
		c.PublicURL = bad
		if _, err := New(c); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "https://flows.example.com") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
