package flowtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/flowtest"
)

type order struct {
	ID    string `json:"id" jsonschema:"minLength=1"`
	Cents int    `json:"cents" jsonschema:"minimum=1"`
}

var errBroken = errors.New("the bank is closed")

// shop charges and ships; charged counts the calls of the task's function.
type shop struct {
	charged int
	charge  *flowlite.Task[order, string]
	ship    *flowlite.Task[string, string]
	flow    *flowlite.Flow[order, string]
}

func newShop() *shop {
	s := &shop{}
	s.charge = flowlite.NewTask("charge", func(_ context.Context, o order) (string, error) {
		s.charged++
		return "receipt of " + o.ID, nil
	}, flowlite.Retries(2, time.Hour))
	s.ship = flowlite.NewTask("ship", func(ctx context.Context, receipt string) (string, error) { return "shipped with " + receipt, ctx.Err() })
	s.flow = flowlite.NewFlow("shop", func(ctx context.Context, o order) (string, error) {
		receipt, err := s.charge.Run(ctx, o)
		if err != nil {
			return "", err
		}
		return s.ship.Run(ctx, receipt)
	})
	return s
}

func TestParametersAreCheckedAsByAServer(t *testing.T) {
	s := newShop()
	r := flowtest.Run(t, s.flow, order{ID: "", Cents: 0})
	if r.Err == nil || r.State != "" || s.charged != 0 || !strings.Contains(r.Message, "cents") {
		t.Fatal(r.State, r.Err)
	}
}

func TestStub(t *testing.T) {
	s := newShop()
	var got string
	r := flowtest.Run(t, s.flow, order{"7", 5}, flowtest.Stub(s.charge, func(_ context.Context, o order) (string, error) { return "stub of " + o.ID, nil }))
	if r.Into(&got); got != "shipped with stub of 7" || s.charged != 0 {
		t.Fatal(got, s.charged)
	}
}

func TestFail(t *testing.T) {
	s := newShop()
	r := flowtest.Run(t, s.flow, order{"7", 5}, flowtest.Fail("charge", 2, errBroken))
	if r.State != "Completed" || s.charged != 1 || r.Tasks("charge")[0].RunCount != 3 {
		t.Fatal(r.State, s.charged)
	}
	r = flowtest.Run(t, s.flow, order{"7", 5}, flowtest.Fail("charge", 3, errBroken))
	if r.State != "Failed" || !errors.Is(r.Err, errBroken) {
		t.Fatal(r.State, r.Err)
	}
}

func TestCrashAfter(t *testing.T) {
	s := newShop()
	begun := 0
	flow := flowlite.NewFlow("crashes", func(ctx context.Context, o order) (string, error) {
		begun++
		return s.flow.Run(ctx, o)
	})
	r := flowtest.Run(t, flow, order{"7", 5}, flowtest.CrashAfter("charge"), flowtest.CrashAfter("ship"))
	if r.State != "Completed" || s.charged != 1 || begun != 3 || r.Run.Recoveries != 2 {
		t.Fatal(r.State, s.charged, begun, r.Run.Recoveries)
	}
}

func TestCancel(t *testing.T) {
	s := newShop()
	undone := 0
	flow := flowlite.NewFlow("saga", func(ctx context.Context, o order) (string, error) {
		if err := flowlite.Compensate(ctx, "charge", func(context.Context) error { undone++; return nil }); err != nil {
			return "", err
		}
		return s.flow.Run(ctx, o)
	})
	r := flowtest.Run(t, flow, order{"7", 5}, flowtest.Cancel("ship"))
	if r.State != "Cancelled" || s.charged != 1 || undone != 1 || !errors.Is(r.Err, flowlite.ErrCancelled) {
		t.Fatal(r.State, s.charged, undone, r.Err)
	}
	waits := flowlite.NewFlow("waits", func(ctx context.Context, o order) (answer, error) {
		return flowlite.Suspend[answer](ctx, flowlite.Ask{Key: "approval"})
	})
	if r = flowtest.Run(t, waits, order{"7", 5}, flowtest.Cancel("approval")); r.State != "Cancelled" {
		t.Fatal(r.State, r.Message)
	}
}

// A suspended run continues in another process, answered or not.
func TestSuspend(t *testing.T) {
	begun := 0
	flow := flowlite.NewFlow("waits", func(ctx context.Context, _ struct{}) (string, error) {
		begun++
		a, err := flowlite.Suspend[answer](ctx, flowlite.Ask{Timeout: 24 * time.Hour})
		if errors.Is(err, flowlite.ErrUnanswered) {
			return "nobody", nil
		}
		return a.Name, err
	})
	for want, opts := range map[string][]flowtest.Option{"ada": {flowtest.Answer(answer{"ada"})}, "nobody": nil} {
		begun = 0
		var got string
		r := flowtest.Run(t, flow, struct{}{}, opts...)
		if r.Into(&got); got != want || begun != 2 {
			t.Fatal(got, begun)
		}
	}
}

func TestDeployed(t *testing.T) {
	flow := flowlite.NewFlow("caller", func(ctx context.Context, o order) (string, error) {
		return flowlite.RunDeployment[string](ctx, "billing/prod", o)
	})
	bill := flowtest.Deployed("billing/prod", func(_ context.Context, o order) (string, error) { return "bill of " + o.ID, nil })
	var got string
	r := flowtest.Run(t, flow, order{"7", 5}, bill)
	if r.Into(&got); got != "bill of 7" {
		t.Fatal(got)
	}
	if r = flowtest.Run(t, flow, order{"7", 5}); r.State != "Failed" || !strings.Contains(r.Message, "billing/prod") {
		t.Fatal(r.State, r.Message)
	}
}

// recorder is a testing.TB that keeps what Replay says.
type recorder struct {
	testing.TB
	said []string
}
