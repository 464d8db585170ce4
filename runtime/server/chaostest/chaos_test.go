package chaostest

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

var (
	chaosFor  = flag.Duration("chaos.for", 75*time.Second, "how long TestChaos goes on breaking things")
	chaosSeed = flag.Uint64("chaos.seed", 0, "which faults, and when; 0: another seed each time")
	chaosKeep = flag.String("chaos.keep", "", "folder that keeps the logs of all processes and the effects of all runs")
	chaosOnly = flag.String("chaos.only", "", "only faults whose name contains this")
)

const servers, workers = 3, 5

// TestChaos is the proof that nothing is lost and nothing is done twice, while
// for a while something breaks every few seconds: see fixture_test.go for what
// there is to break, fault_test.go for how, load_test.go for what runs, and
// verdict_test.go for what must hold in the end.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers for minutes; left out with -short")
	}
	if missing := tools(); len(missing) > 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI is set, but there is no %v here", missing)
		}
		t.Skipf("there is no %v here", missing)
	}
	seed := *chaosSeed
	for seed == 0 {
		seed = rand.Uint64N(1 << 32)
	}
	t.Logf("seed %d: run it again with -chaos.seed=%d -chaos.for=%s", seed, seed, *chaosFor)
	w := newFixture(t)
	l := newLoad(w, rand.New(rand.NewPCG(seed, 1)))
	ctx, end := context.WithCancel(context.Background())
	defer end()
	l.start(ctx)

	l.first(10) // it works while nothing breaks
	if bad := w.answers.failures(nil); len(bad) > 0 {
		t.Fatalf("before anything was broken: %v", bad)
	}
	f := newFaults(w, rand.New(rand.NewPCG(seed, 2)))
	f.for_(*chaosFor)
	l.stop(end)
	v := newVerdict(w, l, f)
	v.settle()
	v.check()
	if t.Failed() {
		v.explain()
	}
}
