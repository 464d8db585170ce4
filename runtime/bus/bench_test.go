package bus_test

import (
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/core"
)

// BenchmarkWakeUp is how long a message takes from one server to another.
func BenchmarkWakeUp(b *testing.B) {
	for name, open := range bustest.Backends(b) {
		b.Run(name, func(b *testing.B) {
			h := open(b)
			from, to := h.Bus(b, bus.Options{}), h.Bus(b, bus.Options{})
			s := to.Subscribe(core.TopicWork, "pool", 1)
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				began := time.Now()
				from.Publish(core.Message{Topic: core.TopicWork, Key: "pool"})
				<-s.C()
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkEvents is how many events a second one server hears of another.
func BenchmarkEvents(b *testing.B) {
	for name, open := range bustest.Backends(b) {
		b.Run(name, func(b *testing.B) {
			h := open(b)
			from, to := h.Bus(b, bus.Options{Queue: 1 << 20}), h.Bus(b, bus.Options{})
			const batch = 100
			s := to.Subscribe(core.TopicEvent, "", batch)
			messages := make([]core.Message, batch)
			for i := range messages {
				messages[i] = core.Message{Topic: core.TopicEvent, Event: &core.Event{ID: core.NewID(), Event: "prefect.flow-run.Completed", Occurred: core.Now(),
					Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + core.NewID().String()}, Payload: core.JSON(`{"intended":{"from":"RUNNING","to":"COMPLETED"}}`)}}
			}
			for b.Loop() {
				from.Publish(messages...)
				for range batch {
					<-s.C()
				}
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
