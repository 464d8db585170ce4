package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// RunsFigure is what a server made of a number of flow runs.
type RunsFigure struct {
	Runs      int     `json:"runs"`
	Clients   int     `json:"clients"`
	PerSecond float64 `json:"runs_per_second"`
	// of one request, in milliseconds
	CreateP50 float64 `json:"create_p50_ms"`
	CreateP95 float64 `json:"create_p95_ms"`
	StateP50  float64 `json:"set_state_p50_ms"`
	StateP95  float64 `json:"set_state_p95_ms"`
}

// Runs makes flow runs, each created, set Running and set Completed over HTTP,
// the way any client of the API does; a Prefect server can be asked, too. It
// returns an error for the first request that fails.
func Runs(ctx context.Context, c Config, runs, clients int) (*RunsFigure, error) {
	b := &reading{Config: c, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}}
	flow, err := b.post(ctx, "/flows/", `{"name":"bench"}`)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var next atomic.Int64
	took := make([][2][]time.Duration, clients)
	began := time.Now()
	for i := range clients {
		wg.Go(func() {
			for next.Add(1) <= int64(runs) && ctx.Err() == nil {
				if err := b.oneRun(ctx, flow, &took[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	f := &RunsFigure{Runs: runs, Clients: clients, PerSecond: float64(runs) / time.Since(began).Seconds()}
	var create, state []time.Duration
	for _, t := range took {
		create, state = append(create, t[0]...), append(state, t[1]...)
	}
	slices.Sort(create)
	slices.Sort(state)
	f.CreateP50, f.CreateP95 = milliseconds(create, 0.50), milliseconds(create, 0.95)
	f.StateP50, f.StateP95 = milliseconds(state, 0.50), milliseconds(state, 0.95)
	return f, nil
}

func (b *reading) oneRun(ctx context.Context, flow string, took *[2][]time.Duration) error {
	began := time.Now()
	run, err := b.post(ctx, "/flow_runs/", fmt.Sprintf(`{"flow_id":%q,"state":{"type":"PENDING"}}`, flow))
	if err != nil {
		return err
	}
	took[0] = append(took[0], time.Since(began))
	for _, state := range []string{"RUNNING", "COMPLETED"} {
		began := time.Now()
		if _, err := b.post(ctx, "/flow_runs/"+run+"/set_state", fmt.Sprintf(`{"state":{"type":%q}}`, state)); err != nil {
			return err
		}
		took[1] = append(took[1], time.Since(began))
	}
	return nil
}

// post returns the id in the answer.
func (b *reading) post(ctx context.Context, path, body string) (string, error) {
	answer, err := b.do(ctx, request{method: http.MethodPost, path: "/api" + path, body: body})
	if err != nil {
		return "", err
	}
	var record struct {
		ID string `json:"id"`
	}
	return record.ID, json.Unmarshal(answer, &record)
}
