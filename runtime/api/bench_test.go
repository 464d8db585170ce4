//go:build unix

package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
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
	w := newWorld(b, database)
	job := load{Addr: w.srv.Listener.Addr().String(), Path: "/api/flow_runs/",
		Body: `{"flow_id":"` + w.flow("bench") + `","name":"","parameters":{"n":1},"tags":["t"],"state":{"type":"SCHEDULED"}}`}
	for _, s := range []string{"PENDING", "RUNNING", "COMPLETED"} {
		job.Then = append(job.Then, `{"state":{"type":"`+s+`","name":"","message":null,"data":null,"state_details":{}},"force":false}`)
	}
	measure(b, "runs", job)
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

// load is what the clients' process is told to send, N times in all: Body to
// Path, and each of Then to the set_state of the record that came back.
type load struct {
	Addr, Path, Body string
	Then             []string
	N                int
}

func measure(b *testing.B, unit string, job load) {
	floor := fsyncs(b)
	job.N = b.N
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "FLOWLITE_BENCH_CLIENTS=1")
	child.Stdin, child.Stderr = bytes.NewReader(core.ToJSON(job)), os.Stderr
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // as the program does
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
}

// clients sends a load and fails with the first answer that is not 201.
func clients(in io.Reader) error {
	var job load
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return err
	}
	failed := make(chan error, benchClients)
	for n := range benchClients {
		go func() {
			conn, err := net.Dial("tcp", job.Addr)
			if err != nil {
				failed <- err
				return
			}
			defer conn.Close() //nolint:errcheck // a probe
			c := client{conn: conn, in: bufio.NewReader(conn), addr: job.Addr}
			for range (job.N + benchClients - 1 - n) / benchClients {
				if err = c.one(job); err != nil {
					break
				}
			}
			failed <- err
		}()
	}
	for range benchClients {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

// client speaks as little HTTP as will do, to leave the cores to the server.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	addr string
	out  []byte
}

func (c *client) one(job load) error {
	answer, err := c.post(job.Path, job.Body)
	if err != nil || len(job.Then) == 0 {
		return err
	}
	_, rest, _ := bytes.Cut(answer, []byte(`"id":"`))
	path := job.Path + string(rest[:36]) + "/set_state"
	for _, body := range job.Then {
		if _, err := c.post(path, body); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) post(path, body string) ([]byte, error) {
	c.out = fmt.Appendf(c.out[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, c.addr, len(body), body)
	if _, err := c.conn.Write(c.out); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusCreated {
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
