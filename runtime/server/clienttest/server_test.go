package clienttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/bus/redisbus"
	"github.com/flowlite/flowlite/runtime/notify/shoutrrr"
	"github.com/flowlite/flowlite/runtime/server"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

// place is where flowlite serves a client.
type place struct {
	name string
	// start returns the address of the API.
	start func(t *testing.T) string
}

// places are one server on each kind of database, and two that share one.
func places(t *testing.T) (sqlite, postgres, split place) {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		one := place{e.Name, func(t *testing.T) string { return startServer(t, e).APIURL() }}
		if e.Name == "sqlite" {
			sqlite = one
			continue
		}
		postgres = one
		if redis := bustest.RedisURL(t); redis != "" {
			split = place{"split", func(t *testing.T) string { return startSplit(t, e.URL(t), redis) }}
		}
	}
	return sqlite, postgres, split
}

// startServer starts what `flowlite up` starts, without a flows folder.
func startServer(t *testing.T, d dbtest.Engine) *server.Server {
	t.Helper()
	return start(t, server.Config{DatabaseURL: d.URL(t), Worker: true})
}

// startSplit starts two servers on one database that Redis joins. Each request
// of a client goes to the one that did not have the one before.
func startSplit(t *testing.T, database, redis string) string {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	key := base64.StdEncoding.EncodeToString(secret)
	var servers [2]*url.URL
	for i := range servers {
		s := start(t, server.Config{DatabaseURL: database, Redis: redisbus.At(redis), EncryptionKey: key, Worker: i == 0})
		at, err := url.Parse(strings.TrimSuffix(s.APIURL(), "/api"))
		if err != nil {
			t.Fatal(err)
		}
		servers[i] = at
	}
	var n atomic.Int64
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(servers[n.Add(1)%2]) },
		ErrorLog: log.New(io.Discard, "", 0), // a client that goes away is none of ours
	})
	t.Cleanup(func() { // before the servers stop: they wait for their clients
		proxy.CloseClientConnections()
		proxy.Close()
	})
	return proxy.URL + "/api"
}

func start(t *testing.T, cfg server.Config) *server.Server {
	t.Helper()
	log := &errorLog{}
	cfg.Port, cfg.Home, cfg.WorkDir, cfg.DrainGrace, cfg.Version = -1, t.TempDir(), t.TempDir(), time.Second, "test"
	cfg.Templates, cfg.Notifications = jinja.New(), shoutrrr.New()
	cfg.PrivateURLs = []string{"127.0.0.1"} // where the cases receive notifications
	cfg.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := server.New(cfg)
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
		if text := log.String(); text != "" {
			t.Errorf("the server logged errors:\n%s", text)
		}
	})
	return s
}

type errorLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *errorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
