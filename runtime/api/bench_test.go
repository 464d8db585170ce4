//go:build unix

package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"

	"golang.org/x/sync/errgroup"
)

const benchClients = 8

// TestMain lets a benchmark run its clients in a process of their own: the
// server's CPU is then its own.
func TestMain(m *testing.M) {
	if os.Getenv("FLOWLITE_BENCH_CLIENTS") != "" {
		if err := clients(os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// BenchmarkHTTPRuns is whole runs over real sockets on a durable database:
// create, PENDING, RUNNING, COMPLETED, from 8 clients at once in another
// process. CPU is the server's; fsyncs/s is what the disk could do.
func BenchmarkHTTPRuns(b *testing.B) {
	for _, e := range dbtest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) { httpRuns(b, e.URL(b)) })
	}
}

func httpRuns(b *testing.B, database string) {
	measure(b, "runs", runs(newWorld(b, database)))
}

// runs is the load of whole runs.
func runs(w *fixture) load {
	job := load{Addr: w.srv.Listener.Addr().String(), Path: "/api/flow_runs/",
		Body: `{"flow_id":"` + w.flow("bench") + `","name":"","parameters":{"n":1},"tags":["t"],"state":{"type":"SCHEDULED"}}`}
	for _, s := range []string{"PENDING", "RUNNING", "COMPLETED"} {
		job.Then = append(job.Then, `{"state":{"type":"`+s+`","name":"","message":null,"data":null,"state_details":{}},"force":false}`)
	}
	return job
}

// BenchmarkHTTPLogs is batches of 100 lines, durable when answered.
func BenchmarkHTTPLogs(b *testing.B) {
	for _, e := range dbtest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) { httpLogs(b, e.URL(b)) })
	}
}

func httpLogs(b *testing.B, database string) {
	w := newWorld(b, database)
	run := w.run(w.flow("bench"), nil)
	lines := make([]core.LogCreate, 100)
	id, _ := core.ParseUUID(run["id"].(string))
	for i := range lines {
		lines[i] = core.LogCreate{Name: "prefect.flow_runs", Level: 20, Message: "Finished in state Completed() after some while", Timestamp: core.Now(), FlowRunID: id}
	}
	measure(b, "batches", load{Addr: w.srv.Listener.Addr().String(), Path: "/api/logs/", Body: string(core.ToJSON(lines))})
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkReadsWhileWriting is how long reads take while 20 clients write
// whole runs without a pause. Of the 50 ms the p99 is meant.
func BenchmarkReadsWhileWriting(b *testing.B) {
	for _, e := range dbtest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) {
			w := newWorld(b, e.URL(b))
			job := runs(w)
			job.Clients = 20
			id := w.run(w.flow("read"), nil)["id"].(string)
			job.Reads = []probe{
				{"GET", "/api/flow_runs/" + id, ""},
				{"POST", "/api/flow_runs/filter", `{"limit":20,"sort":"START_TIME_DESC"}`},
				{"POST", "/api/flow_runs/filter", `{"limit":20,"flow_runs":{"state":{"type":{"any_":["RUNNING"]}}}}`},
				{"POST", "/api/flow_runs/count", `{}`},
				{"POST", "/api/task_runs/filter", `{"limit":20}`},
				{"POST", "/api/deployments/filter", `{"limit":20}`},
				{"POST", "/api/events/filter", `{"limit":20}`},
			}
			out := measure(b, "runs", job)
			b.ReportMetric(out.P50.Seconds()*1000, "read-p50-ms")
			b.ReportMetric(out.P99.Seconds()*1000, "read-p99-ms")
		})
	}
}

// load is what the clients' process is told to send, N times in all: Body to
// Path, and each of Then to the set_state of the record that came back. One
// more client sends Reads in turn, until the others are through.
type load struct {
	Addr, Path, Body string
	Then             []string
	N, Clients       int
	Reads            []probe
}

type probe struct{ Method, Path, Body string }

// outcome is how long reads took.
type outcome struct{ P50, P99 time.Duration }

func measure(b *testing.B, unit string, job load) (out outcome) {
	floor := fsyncs(b)
	job.N = b.N
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "FLOWLITE_BENCH_CLIENTS=1")
	var told bytes.Buffer
	child.Stdin, child.Stdout, child.Stderr = bytes.NewReader(core.ToJSON(job)), &told, os.Stderr
	before := cpu()
	b.ReportAllocs()
	b.ResetTimer()
	if err := child.Run(); err != nil {
		b.Fatal("the clients failed: ", err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit+"/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "server-cpu-µs/op")
	b.ReportMetric(floor, "fsyncs/s")
	if err := json.NewDecoder(&told).Decode(&out); err != nil {
		b.Fatal(err)
	}
	return out
}

// clients sends a load and fails with the first answer that is no success.
func clients(in io.Reader) error {
	var job load
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return err
	}
	if job.Clients == 0 {
		job.Clients = benchClients
	}
	writers, readers := new(errgroup.Group), new(errgroup.Group)
	for n := range job.Clients {
		writers.Go(func() error {
			c, err := newClient(job.Addr)
			for range (job.N + job.Clients - 1 - n) / job.Clients {
				if err != nil {
					return err
				}
				err = c.one(job)
			}
			return err
		})
	}
	var took []time.Duration
	through := make(chan struct{})
	if len(job.Reads) > 0 {
		readers.Go(func() error {
			c, err := newClient(job.Addr)
			for i := 0; err == nil; i++ {
				select {
				case <-through:
					return nil
				default:
				}
				r, began := job.Reads[i%len(job.Reads)], time.Now()
				_, err = c.send(r.Method, r.Path, r.Body)
				took = append(took, time.Since(began))
			}
			return err
		})
	}
	err := writers.Wait()
	close(through)
	if err := errors.Join(err, readers.Wait()); err != nil {
		return err
	}
	var out outcome
	if slices.Sort(took); len(took) > 0 {
		out = outcome{took[len(took)/2], took[len(took)*99/100]}
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func newClient(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReader(conn), addr: addr}, nil
}

// client speaks as little HTTP as will do, to leave the cores to the server.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	addr string
	out  []byte
}

func (c *client) one(job load) error {
	answer, err := c.send("POST", job.Path, job.Body)
	if err != nil || len(job.Then) == 0 {
		return err
	}
	_, rest, _ := bytes.Cut(answer, []byte(`"id":"`))
	path := job.Path + string(rest[:36]) + "/set_state"
	for _, body := range job.Then {
		if _, err := c.send("POST", path, body); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) send(method, path, body string) ([]byte, error) {
	c.out = fmt.Appendf(c.out[:0], "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, c.addr, len(body), body)
	if _, err := c.conn.Write(c.out); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%d %s", resp.StatusCode, answer)
	}
	return answer, err
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
