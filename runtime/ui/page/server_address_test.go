package page_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/ui"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Commands name the server where the command line would not find it, and never
// what somebody made up as a host.
func TestCommandsNameTheServer(t *testing.T) {
	h := uitest.Open(t)
	for _, c := range []struct{ host, proto, forwarded, public, want string }{
		{"127.0.0.1:4200", "", "", "", ""},
		{"localhost:4200", "", "", "", ""},
		{"127.0.0.1:4311", "", "", "", " --api-url http://127.0.0.1:4311/api"},
		{"inner", "https, http", "flows.example.com, inner", "", " --api-url https://flows.example.com/api"},
		{"[::1]:4200", "", "", "", " --api-url http://[::1]:4200/api"},
		{"a;rm", "", "", "", ""},
		{"inner", "", "x$(id)", "", ""},
		{"inner", "", "", "https://public.example.com/flow", " --api-url https://public.example.com/flow/api"},
	} {
		u := ui.New(ui.Config{Services: uitest.Services(h.Service), Store: ui.StoreOf(h.Store), Version: "0", PublicURL: c.public})
		r := httptest.NewRequest("GET", "/automations", nil)
		r.Host = c.host
		r.Header.Set("X-Forwarded-Proto", c.proto)
		r.Header.Set("X-Forwarded-Host", c.forwarded)
		w := httptest.NewRecorder()
		u.ServeHTTP(w, r)
		if want := `data-copy="flowlite automation ls` + c.want + `"`; !strings.Contains(w.Body.String(), want) {
			t.Errorf("%+v: the page lacks %s", c, want)
		}
	}
}
