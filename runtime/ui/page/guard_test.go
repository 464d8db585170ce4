package page_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/ui"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// A post of another site is refused, also when the proxy's header says what it likes.
func TestOwnForms(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.Heartbeat.ID.String() + "/toggle"
	for _, c := range []struct {
		header []string
		code   int
	}{
		{[]string{"Origin", "http://flows.example", "X-Forwarded-Host", "flows.example"}, 303},
		{[]string{"Origin", "http://evil.example", "X-Forwarded-Host", "flows.example"}, 403},
		{[]string{"Origin", "http://evil.example"}, 403},
		{[]string{"Origin", "http://flows.example", "X-Forwarded-Host", "flows.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Origin", "null", "X-Forwarded-Host", ""}, 403},
	} {
		if w := h.Post(path, url.Values{"on": {"false"}}, c.header...); w.Code != c.code {
			t.Errorf("%v: %d, want %d", c.header, w.Code, c.code)
		}
	}
}

func TestBasePath(t *testing.T) {
	h := uitest.Open(t)
	u := ui.New(ui.Config{Services: uitest.Services(h.Service), Store: ui.StoreOf(h.Store), Version: "0", BasePath: "/flowlite/"})
	for _, p := range []string{"/flowlite/dashboard", "/dashboard"} {
		w := httptest.NewRecorder()
		u.ServeHTTP(w, httptest.NewRequest("GET", p, nil))
		body := w.Body.String()
		uitest.Contains(t, body, `href="/flowlite/runs"`, `src="/flowlite/static/app.`, `data-base="/flowlite"`)
		if strings.Contains(body, `href="/runs`) || strings.Contains(body, `"/static/`) {
			t.Errorf("%s: an address misses the base path", p)
		}
	}
}
