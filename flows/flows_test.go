package flows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/flowtest"
)

func TestAdder(t *testing.T) {
	var sum int
	r := flowtest.Run(t, Adder, AdderParams{A: 3, B: 4})
	if r.Into(&sum); sum != 7 || len(r.Tasks("add")) != 1 || !r.Logged("adding x=3 y=4") {
		t.Fatal(sum, r.Tasks("add"), r.Logs)
	}
}

func TestETL(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out", "summary.json")
	var n int
	r := flowtest.Run(t, ETL, ETLParams{Source: "data/weather.csv", Target: target})
	if r.Into(&n); n != 8 {
		t.Fatal(n)
	}
	b, err := os.ReadFile(target)
	if err != nil || !strings.Contains(string(b), "Oslo") {
		t.Fatal(string(b), err)
	}
	if a := r.Artifacts(); !strings.Contains(a["summary"], "8 stations") || a["stations"] == "" {
		t.Fatal(a)
	}
	if len(r.Tasks("transform")) != 1 {
		t.Fatal("no sub-flow", r.TaskRuns)
	}
}

func TestETLWithoutSource(t *testing.T) {
	r := flowtest.Run(t, ETL, ETLParams{Source: "data/none.csv"})
	if r.State != "Failed" || !strings.Contains(r.Message, "none.csv") || r.Tasks("extract")[0].RunCount != 1 {
		t.Fatal(r.State, r.Message)
	}
}

func TestRefundApproval(t *testing.T) {
	var got string
	r := flowtest.Run(t, RefundApproval, Refund{"ACME", 500}, flowtest.Answer(Approval{Approved: true}))
	if r.Into(&got); got != "paid" {
		t.Fatal(got)
	}
	r = flowtest.Run(t, RefundApproval, Refund{"ACME", 500}, flowtest.Answer(Approval{Comment: "no"}))
	if r.Into(&got); got != "refused: no" || len(r.Tasks("pay")) != 0 {
		t.Fatal(got)
	}
	if r = flowtest.Run(t, RefundApproval, Refund{"ACME", 500}); r.State != "Failed" {
		t.Fatal("unanswered:", r.State, r.Message)
	}
}

func TestUnreliable(t *testing.T) {
	var attempts int
	r := flowtest.Run(t, Unreliable, UnreliableParams{Fail: 2, Sleep: 3600})
	if r.Into(&attempts); attempts != 3 || r.Tasks("shaky")[0].RunCount != 3 {
		t.Fatal(attempts)
	}
	r = flowtest.Run(t, Unreliable, UnreliableParams{Panic: true})
	if r.State != "Failed" || r.Message != "panic: asked to" || !r.Logged("goroutine") {
		t.Fatal(r.State, r.Message, r.Logs)
	}
}

func TestHeartbeat(t *testing.T) {
	if r := flowtest.Run(t, Heartbeat, struct{}{}); r.State != "Completed" || !r.Logged("alive") {
		t.Fatal(r.State, r.Logs)
	}
}
