package client_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

func TestAddresses(t *testing.T) {
	for list, want := range map[string]string{
		"http://h:1/api":                        "http://h:1/api",
		"http://api":                            "http://api/api",
		"http://h:1":                            "http://h:1/api",
		" https://h/flowlite/ ,http://h:2/api/": "https://h/flowlite/api http://h:2/api",
	} {
		if got := strings.Join(client.Servers(list), " "); got != want {
			t.Errorf("%q is %s, not %s", list, got, want)
		}
		if err := client.CheckServers(list); err != nil {
			t.Error(err)
		}
	}
	for _, list := range []string{"", "h:1", "127.0.0.1:4200/api", "ftp://h/api", "http:///api", "http://h/api,nonsense", "http://h/api?x=1"} {
		err := client.CheckServers(list)
		refused(t, list, err, core.EInvalid)
		_, err = client.New(client.Config{URL: list, Patience: -1}).Version(t.Context())
		refused(t, list, err, core.EInvalid)
	}
}

// TestStrangers: what answers is no flowlite server, or not in time. Each is an
// error that says so, and none is taken for "not found".
func TestStrangers(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	sealed := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(sealed.Close)
	for _, c := range []struct{ url, says string }{
		{silent.URL, "it has not answered in time"},
		{other.URL, "what answers there is no flowlite server"},
		{"https" + strings.TrimPrefix(other.URL, "http"), "it speaks http, not https"},
		{"http" + strings.TrimPrefix(sealed.URL, "https"), "it speaks https, not http"},
		{"http://127.0.0.1:1", "refused"},
	} {
		answer := 20 * time.Second // for those that answer: the machine may be slow
		if c.url == silent.URL {
			answer = 50 * time.Millisecond
		}
		_, err := client.New(client.Config{URL: c.url, Patience: -1, Answer: answer}).Flow(t.Context(), core.NewID())
		if !client.Unreachable(err) || !strings.Contains(client.Cause(err), c.says) {
			t.Errorf("%s: %v, because of %q; want %q", c.url, err, client.Cause(err), c.says)
		}
	}
	silence := client.New(client.Config{URL: silent.URL, Patience: -1, Answer: 50 * time.Millisecond})
	if _, err := silence.Version(t.Context()); !client.Silent(err) {
		t.Errorf("silence is %v", err)
	}
	r := newFixture(t)
	for auth, says := range map[string]string{"": "asks for credentials", "a:wrong": "refuses these credentials"} {
		_, err := client.New(client.Config{URL: r.URL(), AuthString: auth}).Version(t.Context())
		if refused(t, auth, err, core.EUnauth); !strings.Contains(err.Error(), says) {
			t.Error(err)
		}
	}
}
