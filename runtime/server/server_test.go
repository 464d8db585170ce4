package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func testConfig(t testing.TB) Config {
	return Config{Port: -1, Home: t.TempDir(), WorkDir: t.TempDir(), Log: slog.New(slog.DiscardHandler), DrainGrace: time.Second}
}

func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(t *testing.T, url string, change func(*http.Request)) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(body)), res.Header
}

// The settings page tells of this server what its configuration says.
func TestSettingsPage(t *testing.T) {
	cfg := testConfig(t)
	cfg.AuthString, cfg.CSRF = "me:hidden-word", true
	s := start(t, cfg)
	login := func(r *http.Request) { r.SetBasicAuth("me", "hidden-word") }
	code, body, _ := get(t, s.URL()+"/settings", login)
	for _, want := range []string{cfg.Home, "flowlite.db", "encryption.key", s.URL(), "asked of everyone", "automation actions", "removed after 7 d"} {
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("%d: the page lacks %q", code, want)
		}
	}
	if strings.Contains(body, "hidden-word") {
		t.Error("the page tells the password")
	}
	if code, _, _ := get(t, s.URL()+"/settings", nil); code != http.StatusUnauthorized {
		t.Error("without a login:", code)
	}
	cfg = testConfig(t)
	cfg.NoLoops = true
	if _, body, _ := get(t, start(t, cfg).URL()+"/settings", nil); !strings.Contains(body, "runs no loops") || !strings.Contains(body, "not asked") {
		t.Error("a server without loops and login does not say so")
	}
}

func TestStartAndStop(t *testing.T) {
	cfg := testConfig(t)
	cfg.Worker = true
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	code, body, _ := get(t, s.APIURL()+"/health", nil)
	t.Logf("first answer after %s", time.Since(began))
	if code != 200 || body != "true" {
		t.Fatalf("health: %d %s", code, body)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Error("a second start:", err)
	}
	if p, err := s.Store().WorkPoolByName(context.Background(), "default"); err != nil || p.Type != "process" {
		t.Errorf("pool %+v, %v", p, err)
	}
	if code, _, _ := get(t, s.URL()+"/", nil); code != 200 {
		t.Errorf("the UI answers %d", code)
	}
	for range 2 {
		if err := s.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := http.Get(s.URL() + "/api/health"); err == nil {
		t.Error("a stopped server answers")
	}
	// Everything was given back: the same home starts again.
	start(t, cfg)
}

func TestPortInUse(t *testing.T) {
	a := start(t, testConfig(t))
	cfg := testConfig(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(a.URL(), "http://"), ":")
	for _, c := range port {
		if cfg.Port < 0 {
			cfg.Port = 0
		}
		cfg.Port = cfg.Port*10 + int(c-'0')
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Start(context.Background())
	if core.CodeOf(err) != core.EConflict || !strings.Contains(err.Error(), "--port") {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Home, "flowlite.db")); !os.IsNotExist(err) {
		t.Error("a start that failed at its port touched the database")
	}
}

func TestOneServerPerDatabase(t *testing.T) {
	cfg := testConfig(t)
	start(t, cfg)
	second, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = second.Start(context.Background())
	if err == nil || !strings.Contains(err.Error(), "in use by another flowlite") {
		t.Fatal(err)
	}
}

func TestHomeThatCannotBeWritten(t *testing.T) {
	cfg := testConfig(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Home = filepath.Join(file, "home")
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err == nil || !strings.Contains(err.Error(), "FLOWLITE_HOME") {
		t.Fatal(err)
	}
}

func TestOffLoopbackNeedsCredentials(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Host: "0.0.0.0"}, "FLOWLITE_AUTH_STRING"},
		{Config{Host: "::"}, "--no-auth"},
		{Config{Host: "example.com"}, "--no-auth"},
		{Config{Host: "0.0.0.0", NoAuth: true}, ""},
		{Config{Host: "0.0.0.0", AuthString: "a:b"}, ""},
		{Config{Host: "localhost"}, ""},
		{Config{Host: "::1"}, ""},
		{Config{Host: "127.0.0.9"}, ""},
		{Config{AuthString: "no-colon"}, "user:password"},
		{Config{Port: 70000}, "70000"},
	} {
		_, err := New(c.cfg)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

func TestAuth(t *testing.T) {
	cfg := testConfig(t)
	cfg.AuthString = "admin:secret"
	s := start(t, cfg)
	login := func(r *http.Request) { r.SetBasicAuth("admin", "secret") }
	wrong := func(r *http.Request) { r.SetBasicAuth("admin", "guess") }
	for _, c := range []struct {
		path string
		auth func(*http.Request)
		want int
	}{
		{"/api/health", nil, 200},
		{"/api/ready", nil, 200},
		{"/api/version", nil, 401},
		{"/api/version", wrong, 401},
		{"/api/version", login, 200},
		{"/", nil, 401},
		{"/", wrong, 401},
		{"/", login, 200},
	} {
		code, _, head := get(t, s.URL()+c.path, c.auth)
		if code != c.want {
			t.Errorf("GET %s: %d, want %d", c.path, code, c.want)
		}
		if c.path == "/" && code == 401 && !strings.HasPrefix(head.Get("WWW-Authenticate"), "Basic ") {
			t.Error("the browser is not asked to log in")
		}
	}
	page := func(r *http.Request) { r.Header.Set("HX-Request", "true") }
	if code, _, head := get(t, s.URL()+"/runs", page); code != 401 || head.Get("WWW-Authenticate") != "" {
		t.Errorf("a request of an open page: %d, and a prompt: %q", code, head.Get("WWW-Authenticate"))
	}
}

// A worker of the default pool does not start when that is for other workers;
// the server without one does.
func TestDefaultPoolOfAnotherType(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	if _, err := s.Service().CreateWorkPool(t.Context(), core.WorkPoolCreate{Name: "default", Type: "docker"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Worker = true
	up, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = up.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "of type docker") || !strings.Contains(err.Error(), "flowlite work-pool delete default") {
		t.Fatal(err)
	}
}
