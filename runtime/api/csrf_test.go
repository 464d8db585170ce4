package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

func TestCSRF(t *testing.T) {
	w := memory(t)
	w.srv.Close()
	w.srv = httptest.NewServer(New(Config{
		Runs: w.service.Service, Limits: w.service.Limits, Blocks: w.service.Blocks, Automations: w.service.Automations, Variables: w.service.Variables,
		Artifacts: w.service.Artifacts, SavedSearches: w.service.SavedSearches, Logs: w.service.Logs, Events: w.service.Events, Retention: w.service.Trimmer, Store: StoreOf(w.store), Bus: bus.NewMemory(), CSRF: true}))
	t.Cleanup(w.srv.Close)
	answer := w.get("/csrf-token?client=abc")
	shaped(t, "csrf_token", answer)
	good := answer["token"].(string)
	for _, c := range []struct {
		method, path, token, client string
		status                      int
		detail                      string
	}{
		{"GET", "/flows/name/x", "", "", 404, "Flow not found"},
		{"GET", "/csrf-token", "", "", 422, ""},
		{"POST", "/flows/", "", "", 403, "Missing CSRF token."},
		{"POST", "/flows/filter", "", "abc", 403, "Missing CSRF token."},
		{"POST", "/flows/", "bad", "", 403, "Missing client identifier."},
		{"POST", "/flows/", "bad", "abc", 403, "Invalid CSRF token or client identifier."},
		{"POST", "/flows/", good, "other", 403, "Invalid CSRF token or client identifier."},
		{"DELETE", "/flows/x", good[1:], "abc", 403, "Invalid CSRF token or client identifier."},
		{"POST", "/flows/", good, "abc", 201, ""},
		{"POST", "/flows/filter", good, "abc", 200, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, w.srv.URL+"/api"+c.path, strings.NewReader(`{"name":"f"}`))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{"Content-Type": "application/json", CSRFToken: c.token, CSRFClient: c.client} {
			if v != "" {
				r.Header.Set(k, v)
			}
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || !strings.Contains(string(b), c.detail) {
			t.Errorf("%s %s %q %q: %d %s, want %d %s", c.method, c.path, c.token, c.client, resp.StatusCode, b, c.status, c.detail)
		}
	}
	k := newCSRF(nil)
	now := core.Now()
	if old := k.token("abc", now.Add(-time.Second)); k.valid(old, "abc", now) {
		t.Error("a token is good after its end")
	}
	if newCSRF(nil).valid(k.token("abc", now.Add(time.Hour)), "abc", now) {
		t.Error("another server's token is good")
	}
}
