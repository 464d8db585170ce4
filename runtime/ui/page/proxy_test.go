package page_test

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/template/jinja"
	"github.com/flowlite/flowlite/runtime/ui"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// behind puts a proxy before the fixture, which serves under a base path. The
// proxy gives requests its own Host and says which one was asked for.
func behind(t *testing.T, base string, cut, tls bool) *uitest.Fixture {
	h := uitest.Open(t)
	messages := bus.NewMemory()
	quiet := slog.New(slog.DiscardHandler)
	h.Service = local.New(local.Config{Templates: jinja.New(), Store: h.Store, Bus: messages, Results: orchestrate.DirResults(t.TempDir()), Log: quiet, Now: h.Now})
	h.UI = ui.New(ui.Config{Services: uitest.Services(h.Service), Store: ui.StoreOf(h.Store), Bus: messages, Version: "0.1.0", BasePath: base, Log: quiet})
	inner := httptest.NewServer(h.UI)
	to, err := url.Parse(inner.URL)
	h.Check(err)
	proxy := &httputil.ReverseProxy{ErrorLog: slog.NewLogLogger(quiet.Handler(), slog.LevelDebug), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
		if cut {
			r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, base)
		}
	}}
	mux := http.NewServeMux()
	mux.Handle(base+"/", proxy)
	outer := httptest.NewUnstartedServer(mux)
	outer.Config.ErrorLog = proxy.ErrorLog
	if tls {
		outer.EnableHTTP2 = true
		outer.StartTLS()
	} else {
		outer.Start()
	}
	h.Server.Close()
	h.Server = outer
	t.Cleanup(func() {
		h.UI.Stop()
		outer.CloseClientConnections()
		outer.Close()
		inner.CloseClientConnections()
		inner.Close()
		_ = messages.Close()
	})
	return h
}

// Behind a proxy that cuts its folder off or leaves it, over HTTP or TLS with
// HTTP/2, every address leads into that folder, forms are taken, and pages live.
func TestBehindAProxy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		base     string
		cut, tls bool
	}{"cut": {"/flowlite", true, false}, "kept": {"/tools/flowlite", false, false}, "tls": {"/flowlite", true, true}, "tls at the root": {"", false, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := behind(t, c.base, c.cut, c.tls)
			b := h.Tab(t, uitest.Browser(t), c.base+"/dashboard", 1280, 900)
			b.Wait(`document.querySelector("#live").dataset.state=="up"`)
			for _, p := range []string{"/dashboard", "/runs", "/deployments", "/deployments/" + h.Adder.ID.String(), "/deployments/" + h.Adder.ID.String() + "/edit", "/flows", "/work-pools"} {
				b.GoTo(c.base + p)
				b.Want(`[...document.querySelectorAll("[href],[src],[action],[hx-get],[hx-post],[hx-sse\\:connect]")].flatMap(e=>["href","src","action","hx-get","hx-post","hx-sse:connect"].map(a=>e.getAttribute(a))).filter(v=>v&&!v.startsWith("#")&&!v.startsWith("`+c.base+`/")).join(" ")`, "")
			}
			b.JS(`document.querySelector('[name=theme][value=dark]').click()`)
			b.Wait(`document.documentElement?.dataset.theme=="dark" && location.pathname=="` + c.base + `/work-pools" && !!window.htmx`)
			b.GoTo(c.base + "/deployments/" + h.Adder.ID.String() + "/run")
			b.JS(`(document.querySelector("[name='parameters.a']").value=40,document.querySelector("#run-form .btn.pri").click())`)
			b.Wait(`location.pathname.startsWith("` + c.base + `/flow-runs/") && document.querySelector("#live")?.dataset.state=="up"`)
			id := h.ID(strings.TrimPrefix(b.JS("location.pathname"), c.base+"/flow-runs/"))
			h.Act(id)
			h.Log(id, 20, "add", "through the proxy")
			b.Wait(`document.querySelector("#log")?.textContent.includes("through the proxy")`)
			b.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Running"`)
			b.Press("g", "r")
			b.Wait(`location.pathname=="` + c.base + `/runs" && !!window.htmx`)
			if p := b.Problems(); len(p) > 0 {
				t.Error("console:", p)
			}
		})
	}
}

// A server that stopped is seen within seconds, and the page goes on by itself
// when it is back.
func TestServerGoesAndComes(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	addr := h.Server.Listener.Addr().String()
	ctx := uitest.Browser(t)
	run := h.Create(h.ETL, "")
	token := h.Act(run.ID)
	list, page := h.Tab(t, ctx, "/runs", 1280, 900), h.Tab(t, ctx, "/flow-runs/"+run.ID.String(), 1280, 900)
	for _, b := range []*uitest.Tab{list, page} {
		b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	}
	h.Server.CloseClientConnections()
	h.Server.Close()
	gone := time.Now()
	for _, b := range []*uitest.Tab{list, page} {
		b.Wait(`document.querySelector("#live").dataset.state=="down"`)
	}
	if d := time.Since(gone); d > 8*time.Second {
		t.Error("seen after", d)
	}
	h.Log(run.ID, 20, "flow", "written while nobody could look")
	h.Complete(token, run.ID, "1")
	l, err := net.Listen("tcp", addr)
	h.Check(err)
	back := httptest.NewUnstartedServer(h.UI)
	_ = back.Listener.Close()
	back.Listener = l
	back.Start()
	h.Server = back
	t.Cleanup(func() { h.UI.Stop(); back.CloseClientConnections(); back.Close() })
	page.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Completed" && document.querySelector("#log").textContent.includes("nobody could look")`)
	list.Wait(`document.querySelector("#live").dataset.state=="up"`)
	h.Create(h.Adder, `{"a":1}`)
	list.Wait(`document.querySelectorAll("tbody tr").length==2`)
}
