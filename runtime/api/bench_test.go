//go:build unix

package api

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const benchClients = 8

// BenchmarkHTTPRuns is whole runs over real sockets on a durable database:
// create, PENDING, RUNNING, COMPLETED, from 8 clients at once. CPU is the whole
// process's, the clients included; fsyncs/s is what the disk could do.
func BenchmarkHTTPRuns(b *testing.B) {
	w := newWorld(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db"))
	flow := w.flow("bench")
	floor := fsyncs(b)
	create := []byte(`{"flow_id":"` + flow + `","name":"","parameters":{"n":1},"tags":["t"],"state":{"type":"SCHEDULED"}}`)
	var states [][]byte
	for _, s := range []string{"PENDING", "RUNNING", "COMPLETED"} {
		states = append(states, []byte(`{"state":{"type":"`+s+`","name":"","message":null,"data":null,"state_details":{}},"force":false}`))
	}
	measure(b, "runs", floor, func(c *http.Client) {
		url := w.srv.URL + "/api/flow_runs/"
		body := fire(b, c, url, create)
		_, rest, _ := bytes.Cut(body, []byte(`"id":"`))
		for _, s := range states {
			fire(b, c, url+string(rest[:36])+"/set_state", s)
		}
	})
}

// BenchmarkHTTPLogs is batches of 100 lines, durable when answered.
func BenchmarkHTTPLogs(b *testing.B) {
	w := newWorld(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db"))
	run := w.run(w.flow("bench"), nil)
	lines := make([]core.LogCreate, 100)
	id, _ := core.ParseUUID(run["id"].(string))
	for i := range lines {
		lines[i] = core.LogCreate{Name: "prefect.flow_runs", Level: 20, Message: "Finished in state Completed() after some while", Timestamp: core.Now(), FlowRunID: id}
	}
	body := core.ToJSON(lines)
	measure(b, "batches", fsyncs(b), func(c *http.Client) { fire(b, c, w.srv.URL+"/api/logs/", body) })
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "lines/s")
}

func measure(b *testing.B, unit string, floor float64, one func(*http.Client)) {
	before := cpu()
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for n := range benchClients {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{}}
			defer c.CloseIdleConnections()
			for range (b.N + benchClients - 1 - n) / benchClients {
				one(c)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit+"/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(floor, "fsyncs/s")
}

func fire(b *testing.B, c *http.Client, url string, body []byte) []byte {
	resp, err := c.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusCreated {
		b.Errorf("%d %s %v", resp.StatusCode, out, err)
	}
	return out
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fsyncs is how often a second the disk makes one written page durable.
func fsyncs(b *testing.B) float64 {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page, began := make([]byte, 4096), time.Now()
	n := 0
	for ; time.Since(began) < 300*time.Millisecond; n++ {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}
