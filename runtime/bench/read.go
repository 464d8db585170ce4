package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config is what Read asks, and how often. URL is the server's, without /api.
type Config struct {
	URL        string
	AuthString string // user:password, or nothing
	Rounds     int    // of each request, after one that is not counted
	Progress   func(name string, done, total int)
}

// Figure is how long a request took, in milliseconds, and how long its answer
// was on the wire.
type Figure struct {
	Name  string  `json:"name"`
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	Bytes int     `json:"bytes"`
}

type request struct{ name, method, path, body string }

// Read asks for every page and list of the server in turn. It returns an error
// for the first that is not answered with success.
func Read(ctx context.Context, c Config) ([]Figure, error) {
	b := &reading{Config: c, client: &http.Client{Timeout: time.Minute}}
	list, err := b.requests(ctx)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	for i, r := range list {
		if c.Progress != nil {
			c.Progress("requests", i, len(list))
		}
		f := Figure{Name: r.name}
		var took []time.Duration
		for n := range c.Rounds + 1 {
			began := time.Now()
			answer, err := b.do(ctx, r)
			if err != nil {
				return figures, fmt.Errorf("%s: %w", r.name, err)
			}
			if n > 0 {
				took = append(took, time.Since(began))
			}
			f.Bytes = len(answer)
		}
		slices.Sort(took)
		f.P50, f.P95 = milliseconds(took, 0.50), milliseconds(took, 0.95)
		figures = append(figures, f)
	}
	return figures, nil
}

func milliseconds(sorted []time.Duration, part float64) float64 {
	return float64(sorted[min(len(sorted)-1, int(part*float64(len(sorted))))].Microseconds()) / 1000
}

type reading struct {
	Config
	client *http.Client
}

// do returns the answer as it came, still packed.
func (b *reading) do(ctx context.Context, r request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, b.URL+r.path, strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if user, password, ok := strings.Cut(b.AuthString, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	res, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s answered %s", r.method, r.path, res.Status)
	}
	return answer, err
}

// first is one field of the first record of a list, "" if the list is empty.
func (b *reading) first(ctx context.Context, path, body, field string) (string, error) {
	answer, err := b.do(ctx, request{method: http.MethodPost, path: "/api" + path, body: body})
	if err != nil {
		return "", err
	}
	var records []map[string]any
	if err := core.Unmarshal(answer, &records); err != nil {
		return "", err
	}
	if len(records) == 0 {
		return "", nil
	}
	return fmt.Sprint(records[0][field]), nil
}

func (b *reading) requests(ctx context.Context) ([]request, error) {
	ids := map[string]string{}
	for _, x := range []struct{ key, path, body, field string }{
		{"run", "/flow_runs/filter", `{"limit":1,"sort":"END_TIME_DESC","flow_runs":{"state":{"type":{"any_":["FAILED","COMPLETED"]}}}}`, "id"},
		{"task", "/task_runs/filter", `{"limit":1,"sort":"END_TIME_DESC"}`, "id"},
		{"flow", "/flows/filter", `{"limit":1}`, "id"},
		{"flow name", "/flows/filter", `{"limit":1}`, "name"},
		{"deployment", "/deployments/filter", `{"limit":1}`, "id"},
		{"pool", "/work_pools/filter", `{"limit":1}`, "name"},
	} {
		v, err := b.first(ctx, x.path, x.body, x.field)
		if err != nil {
			return nil, err
		}
		ids[x.key] = v
	}
	now := core.Now()
	hour, week := now.Add(-time.Hour), now.Add(-7*24*time.Hour)
	var list []request
	page := func(path string, needs ...string) {
		name := path
		for _, k := range needs {
			if ids[k] == "" {
				return
			}
			path = strings.ReplaceAll(path, "{"+k+"}", url.PathEscape(ids[k]))
		}
		list = append(list, request{name: name, method: http.MethodGet, path: path})
	}
	for _, path := range []string{"/dashboard", "/runs", "/runs?state=failed", "/runs?q=brave", "/runs?tag=team-data", "/palette?q=brave", "/flows", "/deployments", "/work-pools",
		"/automations", "/events", "/variables", "/artifacts", "/concurrency", "/settings"} {
		page(path)
	}
	page("/flow-runs/{run}", "run")
	page("/task-runs/{task}", "task")
	page("/flows/{flow}", "flow")
	page("/deployments/{deployment}", "deployment")
	page("/work-pools/{pool}", "pool")

	call := func(name, path, format string, args ...any) {
		list = append(list, request{name: name, method: http.MethodPost, path: "/api" + path, body: fmt.Sprintf(format, args...)})
	}
	call("list runs", "/flow_runs/filter", `{"limit":50}`)
	call("list runs, by start", "/flow_runs/filter", `{"limit":50,"sort":"START_TIME_DESC"}`)
	call("list runs, by expected start", "/flow_runs/filter", `{"limit":50,"sort":"EXPECTED_START_TIME_DESC"}`)
	call("list runs, by end", "/flow_runs/filter", `{"limit":50,"sort":"END_TIME_DESC"}`)
	call("list runs, by name", "/flow_runs/filter", `{"limit":50,"sort":"NAME_ASC"}`)
	call(
		"list runs, failed",
		"/flow_runs/filter",
		`{"limit":50,"sort":"EXPECTED_START_TIME_DESC","flow_runs":{"state":{"type":{"any_":["FAILED"]}}}}`,
	)
	call("list runs, paused (none)", "/flow_runs/filter", `{"limit":50,"flow_runs":{"state":{"type":{"any_":["PAUSED"]}}}}`)
	call("list runs, of a deployment", "/flow_runs/filter", `{"limit":50,"flow_runs":{"deployment_id":{"any_":[%q]}}}`, ids["deployment"])
	call("list runs, of a flow by name", "/flow_runs/filter", `{"limit":50,"flows":{"name":{"any_":[%q]}}}`, ids["flow name"])
	call(
		"list runs, of the last hour",
		"/flow_runs/filter",
		`{"limit":200,"sort":"START_TIME_DESC","flow_runs":{"start_time":{"after_":%q}}}`,
		hour,
	)
	call("list runs, with a tag", "/flow_runs/filter", `{"limit":50,"flow_runs":{"tags":{"all_":["team-data"]}}}`)
	call("list runs, with a tag that none has", "/flow_runs/filter", `{"limit":50,"flow_runs":{"tags":{"all_":["nobody"]}}}`)
	call("list runs, name like", "/flow_runs/filter", `{"limit":50,"flow_runs":{"name":{"like_":"brave"}}}`)
	call("list runs, name like none", "/flow_runs/filter", `{"limit":50,"flow_runs":{"name":{"like_":"no-such-name"}}}`)
	call("list runs, offset 100,000", "/flow_runs/filter", `{"limit":50,"offset":100000,"sort":"START_TIME_DESC"}`)
	call("count runs", "/flow_runs/count", `{}`)
	call("count runs, failed", "/flow_runs/count", `{"flow_runs":{"state":{"type":{"any_":["FAILED"]}}}}`)
	call("paginate runs", "/flow_runs/paginate", `{"page":1,"limit":50}`)
	call("history of a week", "/flow_runs/history", `{"history_start":%q,"history_end":%q,"history_interval_seconds":3600}`, week, now)
	call("list task runs", "/task_runs/filter", `{"limit":50}`)
	call("list task runs, by end", "/task_runs/filter", `{"limit":50,"sort":"END_TIME_DESC"}`)
	call("list task runs, of a run", "/task_runs/filter", `{"limit":200,"flow_runs":{"id":{"any_":[%q]}}}`, ids["run"])
	call("count task runs", "/task_runs/count", `{}`)
	call("list logs, of a run", "/logs/filter", `{"limit":200,"sort":"TIMESTAMP_ASC","logs":{"flow_run_id":{"any_":[%q]}}}`, ids["run"])
	call("list flows", "/flows/filter", `{"limit":50}`)
	call("list deployments", "/deployments/filter", `{"limit":50}`)
	call("list work pools", "/work_pools/filter", `{"limit":50}`)
	call("list events", "/events/filter", `{"limit":50,"filter":{"occurred":{"since":%q}}}`, week)
	call("list events, of a run", "/events/filter", `{"limit":50,"filter":{"resource":{"id":["prefect.flow-run.%s"]}}}`, ids["run"])
	return list, nil
}
