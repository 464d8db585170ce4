package server

import (
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/core"
)

// BenchmarkQueuedStart is from asking one server for a run to having it, over
// HTTP, as a worker that waits at the same server or at another one.
func BenchmarkQueuedStart(b *testing.B) {
	for _, mode := range []struct {
		name         string
		redis, apart bool
	}{{"sameserver", false, false}, {"postgres", false, true}, {"redis", true, true}} {
		b.Run(mode.name, func(b *testing.B) {
			database, redis := bustest.Postgres(b), ""
			if mode.redis {
				redis = bustest.RedisURL(b)
			}
			if database == "" || mode.redis && redis == "" {
				b.Skip("no Postgres or Redis to measure with")
			}
			f := newFleet(b, database, redis)
			post(b, f.toA, "/work_pools/", map[string]any{"name": "shared", "type": "process"})
			deployment := f.deployment("quick", command("true"))
			waits := f.toA
			if mode.apart {
				waits = f.toB
			}
			holder := core.NewID()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				claimed := make(chan error, 1)
				go func() {
					for {
						r, err := waits.Poll(b.Context(), core.PollRequest{Pool: "shared", Holder: holder, Worker: "w", Free: 1, Wait: 10})
						if err != nil || len(r.Claims) > 0 {
							claimed <- err
							return
						}
					}
				}()
				f.run(f.toA, deployment)
				if err := <-claimed; err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
