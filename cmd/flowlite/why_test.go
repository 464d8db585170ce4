package main

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

// asker speaks to a server with its UI.
type asker struct {
	t   *testing.T
	api string
}

func (a asker) ask(method, path string, body, out any) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.api+path, bytes.NewReader(core.ToJSON(body)))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		a.t.Fatal(method, path, resp.Status, string(b), err)
	}
	if text, ok := out.(*string); ok {
		*text = string(b)
	} else if out != nil && json.Unmarshal(b, out) != nil {
		a.t.Fatal(path, string(b))
	}
}

// text is what a page says, without its tags.
func text(page string) string {
	plain := regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(page, " ")
	plain = strings.Join(strings.Fields(html.UnescapeString(plain)), " ")
	return strings.NewReplacer(" )", ")", " ,", ",", " .", ".").Replace(plain)
}

// The API, the command line and the page of a run say the same sentence of why
// it waits.
func TestWhyIsTheSameEverywhere(t *testing.T) {
	s, err := server.New(server.Config{Port: -1, Home: t.TempDir(), NoLoops: true, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(t.Context()) })
	a := asker{t, s.APIURL()}
	a.ask("POST", "/work_pools/", map[string]any{"name": "p", "type": "process"}, nil)
	var flow, dep struct{ ID string }
	a.ask("POST", "/flows/", map[string]any{"name": "f"}, &flow)
	a.ask("POST", "/deployments/", map[string]any{"name": "d", "flow_id": flow.ID, "work_pool_name": "p", "enforce_parameter_schema": false}, &dep)
	start := func(states ...string) (id string) {
		t.Helper()
		var run struct{ ID string }
		a.ask("POST", "/deployments/"+dep.ID+"/create_flow_run", map[string]any{}, &run)
		for _, kind := range states {
			a.ask("POST", "/flow_runs/"+run.ID+"/set_state", map[string]any{"state": map[string]any{"type": kind}}, nil)
		}
		return run.ID
	}
	pool := func(change map[string]any) { a.ask("PATCH", "/work_pools/p", change, nil) }
	for _, c := range []struct {
		code string
		run  func() string
	}{
		{"no_worker", func() string { return start() }},
		{"pool_paused", func() string { pool(map[string]any{"is_paused": true}); return start() }},
		{"pool_limit", func() string {
			pool(map[string]any{"is_paused": false, "concurrency_limit": 2})
			start("PENDING", "RUNNING")
			start("PENDING", "RUNNING")
			return start()
		}},
		{"global_limit", func() string {
			pool(map[string]any{"concurrency_limit": nil})
			holder, waiter := start("PENDING", "RUNNING"), start("PENDING", "RUNNING")
			a.ask("POST", "/v2/concurrency_limits/", map[string]any{"name": "db", "limit": 1}, nil)
			take := func(run string) map[string]any {
				return map[string]any{"slots": 1, "names": []string{"db"}, "holder": map[string]any{"type": "flow_run", "id": run}}
			}
			a.ask("POST", "/v2/concurrency_limits/increment-with-lease", take(holder), nil)
			resp, err := http.Post(a.api+"/v2/concurrency_limits/increment-with-lease", "application/json", bytes.NewReader(core.ToJSON(take(waiter)))) //nolint:noctx // it is refused at once
			if err != nil || resp.StatusCode != http.StatusLocked {
				t.Fatal(resp, err)
			}
			_ = resp.Body.Close()
			return waiter
		}},
	} {
		id := c.run()
		var why core.Why
		a.ask("GET", "/flow_runs/"+id+"/why", nil, &why)
		if why.Code != c.code || strings.HasSuffix(c.code, "limit") != (len(why.HeldBy) > 0) {
			t.Errorf("%s: %+v", c.code, why)
		}
		if _, stdout, _ := call(t, a.api, "flow-run", "why", id); !strings.Contains(stdout, why.Message) {
			t.Errorf("%s: the command says %q, want %q", c.code, stdout, why.Message)
		}
		var page string
		asker{t, strings.TrimSuffix(a.api, "/api")}.ask("GET", "/flow-runs/"+id, nil, &page)
		if !strings.Contains(text(page), why.Message) {
			t.Errorf("%s: the page says %q, want %q", c.code, text(page), why.Message)
		}
		for _, holder := range why.HeldBy {
			if !strings.Contains(page, `href="/flow-runs/`+holder.String()+`"`) {
				t.Errorf("%s: the page does not lead to %s", c.code, holder)
			}
		}
	}
}
