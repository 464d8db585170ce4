package flowlite_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

var (
	sagaKills = flag.Int("saga.kills", 20, "how many processes TestKilledSagas kills in all")
	sagaSeed  = flag.Uint64("saga.seed", 1, "where it kills them")
)

// Processes of sagas are killed at seeded moments: while they book, between, and
// while they undo. Nothing is booked twice, and nothing that a run booked is left
// unless the run completed.
func TestKilledSagas(t *testing.T) {
	engines := dbtest.Engines(t)
	for i, on := range engines {
		t.Run(on.Name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(*sagaSeed, uint64(i)))
			s := newSiteOn(t, on.URL(t))
			kills, runs, undone := 0, 0, 0
			for kills < *sagaKills/len(engines) {
				end := []string{"fail", "cancel", "fail for good", "fail once", "complete"}[runs%5]
				runs++
				s.dir = t.TempDir()
				killed, state := s.saga(random, end)
				kills += killed
				undone += s.balanced(fmt.Sprintf("seed %d, run %d, %s after %d kills: %s", *sagaSeed, runs, end, killed, state.StateName), end, state, killed)
			}
			t.Logf("%d processes of %d runs killed, %d bookings undone", kills, runs, undone)
		})
	}
}

// saga executes one run, and kills up to four of its processes.
func (s *site) saga(random *rand.Rand, end string) (kills int, _ *core.FlowRun) {
	s.t.Helper()
	run := s.order("saga", map[string]any{"end": end, "dir": s.dir})
	for n := 0; ; n++ {
		at := ""
		switch {
		case n == core.MaxRecoveries-1:
		case random.IntN(3) == 0:
			at = fmt.Sprintf("%dus", random.IntN(30_000))
		default:
			at = fmt.Sprint(1 + random.IntN(20))
		}
		s.t.Setenv("SAGA_KILL", at)
		c := s.claim()
		p := s.launch(c)
		for line := range p.lines {
			if p.said = append(p.said, line); line != "hanging" {
				continue
			}
			if _, err := s.svc.SetFlowRunState(s.t.Context(), run.ID, core.StateCreate{Type: core.Cancelling}, false); err != nil {
				s.t.Fatal(err)
			}
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
		}
		code := p.wait()
		now := s.run(run.ID)
		if code == -1 {
			kills++
		}
		if now.StateType.Final() {
			return kills, now
		}
		if code != -1 {
			s.t.Fatal("the process ended and the run did not:", code, p.said, now.StateName)
		}
		s.crash(c, "killed", true)
	}
}

// balanced checks the effects of one run and returns how many bookings it undid.
func (s *site) balanced(what, end string, run *core.FlowRun, kills int) (undone int) {
	s.t.Helper()
	b, _ := os.ReadFile(filepath.Join(s.dir, "effects"))
	keys, undos := map[string]string{}, map[string]int{}
	last := map[string]string{}
	for line := range strings.Lines(string(b)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3) // book:N:key
		verb, n, key := part[0], part[1], part[2]
		last[n] = verb
		if verb == "undo" {
			undos[n]++
			continue
		}
		if old, ok := keys[n]; ok && old != key {
			s.t.Errorf("%s: booking %s was made under two keys, %s and %s", what, n, old, key)
		}
		keys[n] = key
	}
	want := map[string]string{"complete": "Completed", "fail once": "Completed", "cancel": "Cancelled"}[end]
	if want == "" {
		want = "Failed"
	}
	if run.StateName != want {
		s.t.Errorf("%s: state %s (%s), want %s", what, run.StateName, core.Deref(run.State.Message), want)
	}
	for n := range keys {
		if completed := run.StateType == core.Completed; completed != (last[n] == "book") || completed && undos[n] > 0 {
			s.t.Errorf("%s: the last effect on booking %s is %q:\n%s", what, n, last[n], b)
		}
	}
	repeated := 0
	for _, n := range undos {
		repeated += n - 1
	}
	if repeated > kills {
		s.t.Errorf("%s: %d undos were repeated, at most one per kill may be:\n%s", what, repeated, b)
	}
	return len(undos)
}
