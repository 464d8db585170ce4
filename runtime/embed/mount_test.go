package embed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/bus/redisbus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

// shop is a program's own server, with an App below /admin/flows.
func shop(t *testing.T, app *embed.App) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the shop") })
	mux.Handle("/admin/flows/", app.Handler())
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// ask sends a request as the person of the header User and returns the status and the body.
func ask(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func userHeader(r *http.Request) (string, bool) {
	name := r.Header.Get("User")
	return name, name != ""
}

// A mounted App answers whom the program knows, stores who started a run, refuses
// pages of other sites, and runs flows without a port of its own.
func TestMountedBehindIdentity(t *testing.T) {
	flow := reporting("report")
	app := startApp(t, embed.Config{NoListen: true, BasePath: "/admin/flows", Identity: userHeader}, flow)
	if app.URL() != "" {
		t.Error("an address without a listener:", app.URL())
	}
	at := shop(t, app).URL
	for _, path := range []string{"/admin/flows/", "/admin/flows/runs", "/admin/flows/api/admin/version", "/admin/flows/api/nope"} {
		if code, body := ask(t, "GET", at+path, ""); code != http.StatusUnauthorized {
			t.Error(path, "for an unknown person:", code, body)
		}
		if code, body := ask(t, "GET", at+path, "", "Authorization", "Bearer wrong"); code != http.StatusUnauthorized {
			t.Error(path, "with a wrong token:", code, body)
		}
	}
	code, body := ask(t, "GET", at+"/admin/flows/runs", "", "User", "ada", "Host", "shop.example.com")
	if code != http.StatusOK || !strings.Contains(body, `href="/admin/flows/`) {
		t.Error("the dashboard:", code, body)
	}
	if code, body := ask(t, "GET", at+"/", ""); code != http.StatusOK || body != "the shop" {
		t.Error("the program's page:", code, body)
	}
	code, body = ask(t, "GET", at+"/admin/flows/api/deployments/name/report/local", "", "User", "ada")
	var d core.Deployment
	if err := json.Unmarshal([]byte(body), &d); code != http.StatusOK || err != nil {
		t.Fatal(code, body, err)
	}
	create := at + "/admin/flows/api/deployments/" + d.ID.String() + "/create_flow_run"
	if code, body = ask(t, "POST", create, "{}", "User", "ada", "Origin", "https://evil.example.com"); code != http.StatusForbidden {
		t.Error("a page of another site:", code, body)
	}
	code, body = ask(t, "POST", create, "{}", "User", "ada", "Content-Type", "application/json")
	var run core.FlowRun
	if err := json.Unmarshal([]byte(body), &run); code != http.StatusCreated || err != nil {
		t.Fatal(code, body, err)
	}
	if by := run.CreatedBy; by == nil || core.Deref(by.DisplayValue) != "ada" {
		t.Error("the creator:", body)
	}
	if got, err := flowlite.RunDeployment[whereabouts](app.Context(t.Context()), "report/local", nil); err != nil || got.Deployment == "" {
		t.Error(got, err)
	}
}

// Event streams and websockets pass the program's mux, and Stop does not wait for
// those that nobody ends.
func TestMountedStreams(t *testing.T) {
	app := startApp(t, embed.Config{NoListen: true, BasePath: "/admin/flows", Identity: userHeader}, reporting("report"))
	api := shop(t, app).URL + "/admin/flows/api"
	run, err := flowlite.SubmitDeployment[whereabouts](app.Context(t.Context()), "report/local", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, body := ask(t, "GET", api+"/flow_runs/"+run.ID()+"/logs/stream", "", "User", "ada"); code != http.StatusOK {
		t.Error(code, body)
	}
	in := "ws" + strings.TrimPrefix(api, "http") + "/events/in"
	if _, _, err := websocket.Dial(t.Context(), in, nil); err == nil {
		t.Error("a websocket of an unknown person is open")
	}
	socket, _, err := websocket.Dial(t.Context(), in, &websocket.DialOptions{HTTPHeader: http.Header{"User": {"ada"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	event := `{"id":"` + core.NewID().String() + `","occurred":"` + core.Now().String() + `","event":"shop.opened","resource":{"prefect.resource.id":"shop"}}`
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(event)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		_, body := ask(t, "POST", api+"/events/filter", `{"filter":{"event":{"name":["shop.opened"]}}}`, "User", "ada", "Content-Type", "application/json")
		return strings.Contains(body, "shop.opened")
	})
	if err := app.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// eventually looks until it holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("it never came to hold")
		}
	}
}

// Without Identity, a mounted App trusts the program's authentication, and answers
// under the names of its configuration only.
func TestMountedChecksHost(t *testing.T) {
	app := startApp(t, embed.Config{NoListen: true, BasePath: "/admin/flows", AllowedHosts: []string{"shop.example.com"}})
	at := shop(t, app).URL + "/admin/flows/dashboard"
	for host, want := range map[string]int{
		"shop.example.com": http.StatusOK, "127.0.0.1": http.StatusOK, "evil.example.com": http.StatusMisdirectedRequest,
	} {
		if code, _ := ask(t, "GET", at, "", "Host", host); code != want {
			t.Error(host, code)
		}
	}
}

// An App starts again after a stop, at the same handler, with the same contexts.
// In between the handler answers 503.
func TestStartStopStart(t *testing.T) {
	flow := reporting("report")
	app := startApp(t, embed.Config{NoListen: true, BasePath: "/admin/flows"}, flow)
	at := shop(t, app).URL + "/admin/flows/dashboard"
	ctx := app.Context(t.Context())
	for range 2 {
		if _, err := flow.Run(ctx, struct{}{}); err != nil {
			t.Fatal(err)
		}
		if _, err := flowlite.RunDeployment[whereabouts](ctx, "report/local", nil); err != nil {
			t.Fatal(err)
		}
		if err := app.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if code, body := ask(t, "GET", at, ""); code != http.StatusServiceUnavailable {
			t.Error("after the stop:", code, body)
		}
		if _, err := flow.Run(ctx, struct{}{}); err == nil {
			t.Error("a stopped App ran a flow")
		}
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if code, body := ask(t, "GET", at, ""); code != http.StatusOK {
			t.Error("after the start:", code, body)
		}
	}
}

func TestTwoFlowsOfOneName(t *testing.T) {
	if _, err := embed.New(embed.Config{}, reporting("same"), reporting("same")); err == nil || !strings.Contains(err.Error(), `"same"`) {
		t.Error(err)
	}
}

// The App makes its work pool, deploys to it, and takes runs from there.
func TestWorkPool(t *testing.T) {
	flow := reporting("report")
	app := startApp(t, embed.Config{WorkPool: "shop"}, flow)
	ctx := app.Context(t.Context())
	got, err := flowlite.RunDeployment[whereabouts](ctx, "report/local", nil)
	if err != nil || got.Deployment == "" {
		t.Fatal(got, err)
	}
	d, err := app.Client().DeploymentByName(ctx, "report", "local")
	if err != nil || core.Deref(d.WorkPoolName) != "shop" {
		t.Fatal(d, err)
	}
	// A restart keeps the pause of an operator.
	if _, err := app.Client().Raw(ctx, "POST", "/deployments/"+d.ID.String()+"/pause_deployment", nil); err != nil {
		t.Fatal(err)
	}
	if err := app.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := app.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if d, err = app.Client().DeploymentByName(ctx, "report", "local"); err != nil || !d.Paused {
		t.Error(d, err)
	}
}

// Errors of the configuration name fields of Config, and no flags or variables.
func TestConfigErrorsSpeakGo(t *testing.T) {
	for name, cfg := range map[string]embed.Config{
		"port":            {Port: 70000},
		"credentials":     {Host: "0.0.0.0"},
		"auth string":     {AuthString: "x"},
		"base path":       {BasePath: "x y"},
		"public URL":      {PublicURL: "x"},
		"origin":          {AllowedOrigins: []string{"x"}},
		"proxies":         {TrustedProxies: []string{"x"}},
		"private URLs":    {PrivateURLs: []string{"a b/c"}},
		"Redis on SQLite": {Redis: redisbus.At("redis://x")},
		"Redis URL":       {Redis: redisbus.At("http://x"), DatabaseURL: "postgres://x/y"},
		"run as":          {RunAs: "no such user"},
		"encryption key":  {EncryptionKey: "x"},
		"database":        {DatabaseURL: "mysql://x"},
		"host":            {Host: "256.0.0.1", NoAuth: true},
		"home":            {Home: "/dev/null/x"},
		"metrics":         {MetricsAddr: "256.0.0.1:1"},
	} {
		cfg.Home, cfg.Logger = orHome(t, cfg.Home), discard
		if cfg.Port == 0 {
			cfg.Port = -1
		}
		app, err := embed.New(cfg)
		if err == nil {
			err = app.Start(t.Context())
			_ = app.Stop(context.Background())
		}
		switch {
		case name == "metrics" && err == nil: // needs a Meter
		case err == nil:
			t.Error(name, "is no error")
		case strings.Contains(err.Error(), "--") || strings.Contains(err.Error(), "FLOWLITE_"):
			t.Errorf("%s: %v", name, err)
		}
	}
	app, err := embed.New(embed.Config{NoListen: true, Home: t.TempDir(), Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer app.Stop(context.Background())
	w := httptest.NewRecorder()
	app.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://evil.example.com/", bytes.NewReader(nil)))
	if text := w.Body.String(); w.Code != http.StatusMisdirectedRequest || strings.Contains(text, "--") || strings.Contains(text, "FLOWLITE_") {
		t.Error(w.Code, text)
	}
}

var discard = slog.New(slog.DiscardHandler)

func orHome(t *testing.T, home string) string {
	t.Helper()
	if home != "" {
		return home
	}
	return t.TempDir()
}
