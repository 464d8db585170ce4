package flowlite_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker"
)

// requests stands between flows' processes and the server, and notes what they ask.
type requests struct {
	url string
	mu  sync.Mutex
	all []string
}

func (s *site) proxied() *requests {
	s.t.Helper()
	to, err := url.Parse(strings.TrimSuffix(s.srv.APIURL(), "/api"))
	if err != nil {
		s.t.Fatal(err)
	}
	q := &requests{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q.mu.Lock()
		q.all = append(q.all, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api"))
		q.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	s.t.Cleanup(front.Close)
	q.url = front.URL + "/api"
	return q
}

// of returns the requests of a run, without the long polls that wait for a
// cancellation: how many there are is up to the scheduler.
func (q *requests) of(id core.UUID) (all []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.all {
		if !strings.HasSuffix(r, "/wait") {
			all = append(all, strings.ReplaceAll(r, id.String(), "ID"))
		}
	}
	q.all = nil
	return all
}

// The process has the run from its worker, whatever the size of the parameters,
// and asks the server only for what changes.
func TestProcessDoesNotAskForItsRun(t *testing.T) {
	s := newSite(t)
	asked := s.proxied()
	w := worker.New(worker.Config{Orchestrator: s.svc, APIURL: asked.url, WorkDir: s.dir, CacheDir: t.TempDir(),
		Log: slog.New(slog.DiscardHandler), DrainGrace: time.Second})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(context.Background()) })
	want := []string{"POST /flow_runs/ID/set_state", "POST /flow_runs/ID/set_state"}
	for name, how := range map[string]string{"few parameters": "return", "1 MiB of parameters": strings.Repeat("x", 1<<20)} {
		t.Run(name, func(t *testing.T) {
			run := s.orderProgram("ends", map[string]any{"how": how})
			if r := s.end(run.ID); r.StateType != core.Completed {
				t.Fatal(r.StateName, core.Deref(r.State.Message))
			}
			if got := asked.of(run.ID); !slices.Equal(got, want) {
				t.Errorf("the process asked %q, want %q", got, want)
			}
		})
	}

	t.Run("a process that does not read its run", func(t *testing.T) {
		script := filepath.Join(t.TempDir(), "older")
		if err := os.WriteFile(script, []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		run := s.orderBinary(script, "ends", map[string]any{"how": strings.Repeat("x", 1<<20)})
		if r := s.end(run.ID); r.StateType != core.Crashed {
			t.Fatal(r.StateName, core.Deref(r.State.Message))
		}
	})
}

// A process of an older worker, which hands over the id alone, asks.
func TestProcessOfAnOlderWorkerAsksForItsRun(t *testing.T) {
	s := newSite(t)
	asked := s.proxied()
	run := s.order("ends", map[string]any{"how": "return"})
	p := s.launchAt(asked.url, s.claim())
	if code := p.wait(); code != 0 || s.run(run.ID).StateType != core.Completed {
		t.Fatal(code, p.said, s.run(run.ID).StateName)
	}
	if got := asked.of(run.ID); len(got) == 0 || got[0] != "GET /flow_runs/ID" {
		t.Errorf("the process asked %q", got)
	}
}
