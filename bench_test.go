package flowlite_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// durable runs a benchmark on each database.
func durable(b *testing.B, bench func(b *testing.B, e *engine.Engine)) {
	for _, e := range dbtest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) { bench(b, onDisk(b, e.URL(b))) })
	}
}

// onDisk gives the benchmark an engine over a database, SQLite at
// synchronous=FULL, and reports what one fsync costs there: the floor of
// whatever is durable.
func onDisk(b *testing.B, database string) *engine.Engine {
	b.Helper()
	dir := b.TempDir()
	store, err := db.Open(b.Context(), database)
	if err != nil {
		b.Fatal(err)
	}
	svc := local.New(local.Config{Store: store, Bus: bus.NewMemory(), Results: orchestrate.DirResults(filepath.Join(dir, "results"))})
	if err := svc.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = svc.Stop(context.Background()); _ = store.Close() })
	f, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	begin := time.Now()
	const probes = 100
	for range probes {
		_, _ = f.Write(page)
		_ = f.Sync()
	}
	floor := float64(time.Since(begin).Microseconds()) / probes
	b.Logf("one fsync: %.0f µs", floor)
	return engine.New(engine.Config{Orchestrator: svc})
}

// deployedAt is a Runner and a flow that is deployed there, where no worker is.
func deployedAt(b *testing.B, e *engine.Engine) (flowlite.Runner, *flowlite.Flow[numbered, int]) {
	b.Helper()
	on := runner{e}
	f := flowlite.NewFlow("ordered", func(context.Context, numbered) (int, error) { return 0, nil })
	pools := e.Orchestrator().(core.PoolOrchestrator)
	if _, err := pools.CreateWorkPool(b.Context(), core.WorkPoolCreate{Name: "default", Type: core.PoolProcess}); err != nil {
		b.Fatal(err)
	}
	if err := f.Deploy(on.Context(b.Context()), flowlite.Deployment{Name: "local"}); err != nil {
		b.Fatal(err)
	}
	return on, f
}

type numbered struct{ N int }

type runner struct{ e *engine.Engine }

func (r runner) Context(ctx context.Context) context.Context {
	return engine.With(ctx, func() (*engine.Engine, error) { return r.e, nil })
}

// BenchmarkStart is from Start to its handle.
func BenchmarkStart(b *testing.B) {
	durable(b, func(b *testing.B, e *engine.Engine) {
		on, f := deployedAt(b, e)
		for b.Loop() {
			if _, err := f.Start(b.Context(), on, numbered{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStartMany wants -benchtime=3x: 10,000 runs in one call.
func BenchmarkStartMany(b *testing.B) {
	durable(b, func(b *testing.B, e *engine.Engine) {
		on, f := deployedAt(b, e)
		params := make([]numbered, 10_000)
		for i := range params {
			params[i].N = i
		}
		for b.Loop() {
			if _, err := f.StartMany(b.Context(), on, params); err != nil {
				b.Fatal(err)
			}
		}
	})
}

var noop = flowlite.NewTask("noop", func(_ context.Context, n int) (int, error) { return n, nil })

func steps(n int) *engine.Flow {
	return engine.FlowOf(flowlite.NewFlow("steps", func(ctx context.Context, _ struct{}) (int, error) {
		for i := range n {
			if _, err := noop.Run(ctx, i); err != nil {
				return 0, err
			}
		}
		return n, nil
	}))
}

func run(b *testing.B, e *engine.Engine, f *engine.Flow) {
	out, err := e.Run(context.Background(), f, nil)
	if err == nil {
		err = out.Err
	}
	if err != nil {
		b.Error(err)
	}
}

func BenchmarkDurableSteps(b *testing.B) { durable(b, benchDurableSteps) }

func benchDurableSteps(b *testing.B, e *engine.Engine) {
	b.ResetTimer()
	run(b, e, steps(b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
}

func BenchmarkDurableSteps50Flows(b *testing.B) { durable(b, benchDurableSteps50Flows) }

func benchDurableSteps50Flows(b *testing.B, e *engine.Engine) {
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { run(b, e, steps(b.N/50+1)) })
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
}

func BenchmarkFanOut1000(b *testing.B) { durable(b, benchFanOut1000) }

func benchFanOut1000(b *testing.B, e *engine.Engine) {
	in := make([]int, 1000)
	for i := range in {
		in[i] = i
	}
	fan := engine.FlowOf(flowlite.NewFlow("fan", func(ctx context.Context, _ struct{}) (int, error) {
		out, err := noop.Map(ctx, in)
		return len(out), err
	}))
	b.ResetTimer()
	for range b.N {
		run(b, e, fan)
	}
}

// BenchmarkNoopRuns wants -benchtime=10000x.
func BenchmarkNoopRuns(b *testing.B) { durable(b, benchNoopRuns) }

func benchNoopRuns(b *testing.B, e *engine.Engine) {
	f := steps(0)
	b.ResetTimer()
	var wg sync.WaitGroup
	work := make(chan struct{})
	for range 64 {
		wg.Go(func() {
			for range work {
				run(b, e, f)
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

// heard tells when a flow waits for a message.
type heard struct {
	core.Orchestrator
	waits chan<- struct{}
}

func (h *heard) ReceiveMessage(ctx context.Context, id core.UUID, r core.MessageRequest) (*core.RunMessage, error) {
	if r.Wait > 0 {
		select {
		case h.waits <- struct{}{}:
		default:
		}
	}
	return h.Orchestrator.ReceiveMessage(ctx, id, r)
}

func BenchmarkMessage(b *testing.B) { durable(b, benchMessage) }

// benchMessage is the time from Send to the return of a Receive that waits.
func benchMessage(b *testing.B, e *engine.Engine) {
	ready, received := make(chan string, 1), make(chan time.Time, 1)
	f := engine.FlowOf(flowlite.NewFlow("receives", func(ctx context.Context, _ struct{}) (int, error) {
		ready <- flowlite.Current(ctx).RunID
		for range b.N {
			if _, err := flowlite.Receive[int](ctx, "m", time.Minute); err != nil {
				return 0, err
			}
			received <- time.Now()
		}
		return b.N, nil
	}))
	waits := make(chan struct{}, 1)
	e = engine.New(engine.Config{Orchestrator: &heard{e.Orchestrator(), waits}})
	done := make(chan struct{})
	go func() { defer close(done); run(b, e, f) }()
	to := <-ready
	ctx := engine.With(context.Background(), func() (*engine.Engine, error) { return e, nil })
	var took []time.Duration
	b.ResetTimer()
	for n := range b.N {
		b.StopTimer()
		<-waits
		b.StartTimer()
		began := time.Now()
		if err := flowlite.Send(ctx, to, "m", n); err != nil {
			b.Fatal(err)
		}
		took = append(took, (<-received).Sub(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	<-done
}
