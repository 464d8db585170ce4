package orchestrate_test

import (
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func onDisk(b *testing.B) *house { return open(b, "sqlite:"+filepath.Join(b.TempDir(), "bench.db")) }

// BenchmarkRuns is create, Running, Completed of runs by 16 callers.
func BenchmarkRuns(b *testing.B) {
	h := onDisk(b)
	flow := h.flow()
	work := make(chan struct{}, 64)
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 16 {
		wg.Go(func() {
			for range work {
				run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: flow.ID}))(b)
				for _, t := range []core.StateType{core.Running, core.Completed} {
					if _, err := h.SetFlowRunState(h.ctx, run.ID, core.StateCreate{Type: t}, false); err != nil {
						b.Error(err)
					}
				}
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

// BenchmarkStep is one finished task of one flow, durable.
func BenchmarkStep(b *testing.B) {
	h := onDisk(b)
	run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(b)
	b.ResetTimer()
	for i := range b.N {
		step(b, h, run.ID, strconv.Itoa(i))
	}
}

// BenchmarkSteps is the same of 50 flows at once.
func BenchmarkSteps(b *testing.B) {
	h := onDisk(b)
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 50 {
		run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(b)
		wg.Go(func() {
			for i := range b.N/50 + 1 {
				step(b, h, run.ID, strconv.Itoa(i))
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
}

func step(b *testing.B, h *house, run core.UUID, key string) {
	now := core.Now()
	task := &core.TaskRun{ID: core.NewID(), Name: "t-" + key, FlowRunID: run, TaskKey: "t", DynamicKey: key, RunCount: 1, StartTime: now, EndTime: now}
	err := h.RecordTaskRuns(h.ctx, []*core.TaskRunReport{{TaskRun: task, States: []*core.State{
		core.StateCreate{Type: core.Running}.State(now), core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":1}`)}.State(now)}}})
	if err != nil {
		b.Error(err)
	}
}

// BenchmarkClaim is from the request for a run to its claim by a waiting worker.
func BenchmarkClaim(b *testing.B) {
	h := onDisk(b)
	d := h.deployed()
	holder := core.NewID()
	b.ResetTimer()
	for range b.N {
		claimed := make(chan int, 1)
		go func() {
			r, err := h.Poll(h.ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: 1, Wait: 10})
			if err != nil {
				b.Error(err)
			}
			claimed <- len(r.Claims)
		}()
		h.run(d)
		if <-claimed != 1 {
			b.Fatal("not claimed")
		}
	}
}
