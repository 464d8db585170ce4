package orchestrate_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// onDisk measures on SQLite and, where FLOWLITE_TEST_POSTGRES names a server, on
// Postgres.
func onDisk(b *testing.B, fn func(b *testing.B, h *localtest.Fixture)) {
	for _, e := range dbtest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) { fn(b, localtest.Open(b, e.URL(b))) })
	}
}

// BenchmarkRun is create, Running, Completed of one run after the other.
func BenchmarkRun(b *testing.B) {
	onDisk(b, func(b *testing.B, h *localtest.Fixture) {
		flow := h.Flow()
		for b.Loop() {
			oneRun(b, h, flow)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	})
}

func oneRun(b *testing.B, h *localtest.Fixture, flow *core.Flow) {
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: flow.ID}))(b)
	for _, t := range []core.StateType{core.Running, core.Completed} {
		if _, err := h.SetFlowRunState(h.Ctx, run.ID, core.StateCreate{Type: t}, false); err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkRuns is the same by 16 callers.
func BenchmarkRuns(b *testing.B) {
	onDisk(b, func(b *testing.B, h *localtest.Fixture) {
		flow := h.Flow()
		b.ResetTimer()
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for range (b.N + 15 - w) / 16 {
					oneRun(b, h, flow)
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	})
}

// BenchmarkStep is one finished task of one flow, durable.
func BenchmarkStep(b *testing.B) {
	onDisk(b, func(b *testing.B, h *localtest.Fixture) {
		run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(b)
		n := 0
		for b.Loop() {
			n++
			step(b, h, run.ID, strconv.Itoa(n))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
	})
}

// BenchmarkSteps is the same of 50 flows at once.
func BenchmarkSteps(b *testing.B) {
	onDisk(b, func(b *testing.B, h *localtest.Fixture) {
		flow := h.Flow()
		b.ResetTimer()
		var wg sync.WaitGroup
		for f := range 50 {
			run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: flow.ID}))(b)
			wg.Go(func() {
				for i := range (b.N + 49 - f) / 50 {
					step(b, h, run.ID, strconv.Itoa(i))
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
	})
}

func step(b *testing.B, h *localtest.Fixture, run core.UUID, key string) {
	now := core.Now()
	task := &core.TaskRun{ID: core.NewID(), Name: "t-" + key, FlowRunID: run, TaskKey: "t", DynamicKey: key, RunCount: 1, StartTime: now, EndTime: now}
	err := h.RecordTaskRuns(h.Ctx, []*core.TaskRunReport{{TaskRun: task, States: []*core.State{
		core.StateCreate{Type: core.Running}.State(now), core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":1}`)}.State(now)}}})
	if err != nil {
		b.Error(err)
	}
}

// BenchmarkWake is from the request for a run to its claim by a waiting worker.
func BenchmarkWake(b *testing.B) {
	onDisk(b, func(b *testing.B, h *localtest.Fixture) {
		d := h.Deployed()
		holder := core.NewID()
		for b.Loop() {
			claimed := make(chan int, 1)
			go func() {
				r, err := h.Poll(h.Ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: 1, Wait: 10})
				if err != nil {
					b.Error(err)
				}
				claimed <- len(r.Claims)
			}()
			h.Run(d)
			if <-claimed != 1 {
				b.Fatal("not claimed")
			}
		}
	})
}

// BenchmarkClaims is what 1, 4 and 16 workers claim of runs that wait, one at a
// time, all of one pool.
func BenchmarkClaims(b *testing.B) {
	for _, workers := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			onDisk(b, func(b *testing.B, h *localtest.Fixture) {
				d := h.Deployed()
				for range b.N {
					h.Run(d)
				}
				b.ResetTimer()
				var left atomic.Int64
				left.Store(int64(b.N))
				var wg sync.WaitGroup
				for range workers {
					holder := core.NewID()
					wg.Go(func() {
						for left.Load() > 0 {
							r, err := h.Poll(h.Ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: 1})
							if err != nil {
								b.Error(err)
								return
							}
							left.Add(-int64(len(r.Claims)))
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
			})
		})
	}
}
