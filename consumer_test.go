package flowlite_test

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

var (
	consumerRuns = flag.Int("consumer.runs", 2, "how many runs TestKilledConsumers executes on each database")
	consumerSeed = flag.Uint64("consumer.seed", 1, "where it kills their processes")
)

// Processes of a consumer are killed at seeded moments, while messages arrive. The
// run receives each message once, and in order.
func TestKilledConsumers(t *testing.T) {
	for i, on := range dbtest.Engines(t) {
		t.Run(on.Name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(*consumerSeed, uint64(i)))
			s := newSiteOn(t, on.URL(t))
			kills := 0
			for range *consumerRuns {
				kills += s.consumer(random)
			}
			t.Logf("%d processes of %d runs killed", kills, *consumerRuns)
			if kills == 0 {
				t.Error("no process was killed while it consumed")
			}
		})
	}
}

// consumer executes one run, and kills up to four of its processes.
func (s *site) consumer(random *rand.Rand) (kills int) {
	s.t.Helper()
	const messages = 100
	run := s.order("consumer", map[string]any{"messages": messages})
	var sender sync.WaitGroup
	defer sender.Wait()
	half := make(chan struct{})
	sender.Go(func() {
		for n := range messages {
			if n == messages/2 {
				<-half // the rest arrives while a later process waits
			}
			if _, err := s.svc.SendMessage(s.t.Context(), run.ID, core.MessageCreate{Topic: "orders", Value: core.ToJSON(n)}); err != nil {
				s.t.Error(err)
				return
			}
		}
	})
	open := sync.OnceFunc(func() { close(half) })
	defer open()
	for n := 0; ; n++ {
		if n == 2 {
			open()
		}
		at := core.ToJSON(random.IntN(150_000))
		if n == core.MaxRecoveries-1 {
			at = nil
		}
		s.t.Setenv("CONSUMER_KILL", string(at))
		c := s.claim()
		p := s.launch(c)
		code := p.wait()
		if now := s.run(run.ID); now.StateType.Final() {
			b, err := engine.Unpack(s.t.Context(), s.svc, now.State.Data)
			var got []int
			if err == nil {
				err = json.Unmarshal(b, &got)
			}
			if err != nil || len(got) != messages || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != messages {
				s.t.Fatalf("seed %d: the run %s received %v: %v", *consumerSeed, now.StateName, got, err)
			}
			return kills
		}
		if code != -1 {
			s.t.Fatal("the process ended and the run did not:", code, p.said)
		}
		kills++
		s.crash(c, "killed", true)
	}
}
