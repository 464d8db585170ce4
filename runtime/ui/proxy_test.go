package ui_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/ui"
)

// behind puts a proxy before the house, which serves under a base path. The
// proxy gives requests its own Host and says which one was asked for.
func behind(t *testing.T, base string, cut, tls bool) *house {
	h := open(t)
	messages := bus.NewMemory()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	h.svc = orchestrate.New(orchestrate.Config{Store: h.store, Bus: messages, Results: orchestrate.DirResults(t.TempDir()), Log: quiet, Now: h.now})
	h.ui = ui.New(ui.Config{Service: h.svc, Store: h.store, Bus: messages, Version: "0.1.0", BasePath: base, Log: quiet})
	inner := httptest.NewServer(h.ui)
	to, err := url.Parse(inner.URL)
	h.check(err)
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
	h.srv.Close()
	h.srv = outer
	t.Cleanup(func() {
		h.ui.Stop()
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
			h := behind(t, c.base, c.cut, c.tls)
			b := h.tab(t, browser(t), c.base+"/dashboard", 1280, 900)
			b.wait(`document.querySelector("#live").dataset.state=="up"`)
			for _, p := range []string{"/dashboard", "/runs", "/deployments", "/deployments/" + h.adder.ID.String(), "/deployments/" + h.adder.ID.String() + "/edit", "/flows", "/work-pools"} {
				b.goTo(c.base + p)
				b.want(`[...document.querySelectorAll("[href],[src],[action],[hx-get],[hx-post],[hx-sse\\:connect]")].flatMap(e=>["href","src","action","hx-get","hx-post","hx-sse:connect"].map(a=>e.getAttribute(a))).filter(v=>v&&!v.startsWith("#")&&!v.startsWith("`+c.base+`/")).join(" ")`, "")
			}
			b.js(`document.querySelector('[name=theme][value=dark]').click()`)
			b.wait(`document.documentElement?.dataset.theme=="dark" && location.pathname=="` + c.base + `/work-pools" && !!window.htmx`)
			b.goTo(c.base + "/deployments/" + h.adder.ID.String() + "/run")
			b.js(`(document.querySelector("[name='parameters.a']").value=40,document.querySelector("#run-form .btn.pri").click())`)
			b.wait(`location.pathname.startsWith("` + c.base + `/flow-runs/") && document.querySelector("#live")?.dataset.state=="up"`)
			id := h.id(strings.TrimPrefix(b.js("location.pathname"), c.base+"/flow-runs/"))
			h.act(id)
			h.log(id, 20, "add", "through the proxy")
			b.wait(`document.querySelector("#log")?.textContent.includes("through the proxy")`)
			b.wait(`document.querySelector("#run-head .badge").textContent.trim()=="Running"`)
			b.press("g", "r")
			b.wait(`location.pathname=="` + c.base + `/runs" && !!window.htmx`)
			if p := b.problems(); len(p) > 0 {
				t.Error("console:", p)
			}
		})
	}
}

// Eight tabs over HTTP/2 load, though the proxy speaks HTTP/1.1 with us.
func TestManyTabsOverHTTP2(t *testing.T) {
	t.Parallel()
	h := behind(t, "", false, true)
	ctx := browser(t)
	for range 8 {
		b := h.tab(t, ctx, "/runs", 1280, 900)
		b.wait(`document.querySelector("#live").dataset.state!="off"`)
	}
	if n := h.ui.Streams(); n > 4 {
		t.Errorf("%d streams of one browser over HTTP/1.1", n)
	}
}

// A post of another site is refused, also when the proxy's header says what it likes.
func TestOwnForms(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.heartbeat.ID.String() + "/toggle"
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
		if w := h.post(path, url.Values{"on": {"false"}}, c.header...); w.Code != c.code {
			t.Errorf("%v: %d, want %d", c.header, w.Code, c.code)
		}
	}
}

// A server that stopped is seen within seconds, and the page goes on by itself
// when it is back.
func TestServerGoesAndComes(t *testing.T) {
	t.Parallel()
	h := open(t)
	addr := h.srv.Listener.Addr().String()
	ctx := browser(t)
	run := h.create(h.etl, "")
	token := h.act(run.ID)
	list, page := h.tab(t, ctx, "/runs", 1280, 900), h.tab(t, ctx, "/flow-runs/"+run.ID.String(), 1280, 900)
	for _, b := range []*tab{list, page} {
		b.wait(`document.querySelector("#live").dataset.state=="up"`)
	}
	h.srv.CloseClientConnections()
	h.srv.Close()
	gone := time.Now()
	for _, b := range []*tab{list, page} {
		b.wait(`document.querySelector("#live").dataset.state=="down"`)
	}
	if d := time.Since(gone); d > 8*time.Second {
		t.Error("seen after", d)
	}
	h.log(run.ID, 20, "flow", "written while nobody could look")
	h.complete(token, run.ID, "1")
	l, err := net.Listen("tcp", addr)
	h.check(err)
	back := httptest.NewUnstartedServer(h.ui)
	_ = back.Listener.Close()
	back.Listener = l
	back.Start()
	h.srv = back
	t.Cleanup(func() { h.ui.Stop(); back.CloseClientConnections(); back.Close() })
	page.wait(`document.querySelector("#run-head .badge").textContent.trim()=="Completed" && document.querySelector("#log").textContent.includes("nobody could look")`)
	list.wait(`document.querySelector("#live").dataset.state=="up"`)
	h.create(h.adder, `{"a":1}`)
	list.wait(`document.querySelectorAll("tbody tr").length==2`)
}
