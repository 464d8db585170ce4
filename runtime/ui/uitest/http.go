package uitest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

func (h *Fixture) Get(path string) (int, string) {
	h.T.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	w := httptest.NewRecorder()
	h.UI.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (h *Fixture) Post(path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	h.T.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.UI.ServeHTTP(w, r)
	return w
}

func Contains(t *testing.T, body string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(body, w) {
			t.Errorf("page lacks %q", w)
		}
	}
}

func Link(t *testing.T, body, rel string) string {
	t.Helper()
	m := regexp.MustCompile(`rel="` + rel + `" href="([^"]*)"`).FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

func TemplEscaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(s)
}

var (
	SearchBox = regexp.MustCompile(`<input[^>]* type="search" name="(\w+)"|<input[^>]* name="(\w+)" type="search"`)
	MainPart  = regexp.MustCompile(`(?s)<main.*</main>`)
)

// Turned stands before the pages and answers as it is told; 0 lets through, and
// a negative status closes the connection.
func (h *Fixture) Turned(t *testing.T) *atomic.Int64 {
	status := &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch s := status.Load(); {
		case s == 0:
			h.UI.ServeHTTP(w, r)
		case s < 0:
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(int(s))
		}
	}))
	h.Server.Close()
	h.Server = srv
	return status
}
