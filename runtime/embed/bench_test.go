package embed_test

import (
	"context"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/embed"
)

// BenchmarkQueuedRuns is the whole life of runs that an App starts one by one, in 32
// goroutines, and its own worker executes. It wants -benchtime=5000x. The CPU time is
// that of this process, without the database's server.
func BenchmarkQueuedRuns(b *testing.B) {
	for _, e := range dbtest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) {
			var left sync.WaitGroup
			f := flowlite.NewFlow("queued", func(context.Context, struct{ N int }) (int, error) {
				left.Done()
				return 0, nil
			})
			app, err := embed.New(embed.Config{
				NoListen: true, NoUI: true, Home: b.TempDir(), DatabaseURL: e.URL(b), Logger: slog.New(slog.DiscardHandler),
			}, f)
			if err != nil {
				b.Fatal(err)
			}
			if err := app.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			defer func() { _ = app.Stop(context.Background()) }()
			left.Add(b.N)
			b.ResetTimer()
			before := cpuTime()
			const starters = 32
			var starts sync.WaitGroup
			for s := range starters {
				starts.Go(func() {
					for n := s; n < b.N; n += starters {
						if _, err := f.Start(b.Context(), app, struct{ N int }{n}); err != nil {
							b.Error(err)
							left.Done()
						}
					}
				})
			}
			starts.Wait()
			left.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
			b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/run")
		})
	}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
