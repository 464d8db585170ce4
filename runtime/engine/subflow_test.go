package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// A sub-flow that failed in attempt 1 runs again in attempt 2; once it has, the
// resume of attempt 2 takes its outcome as it is.
func TestResumeOfARetryReplaysSubflows(t *testing.T) {
	b := newBench(t)
	var calls, deployed int
	var made []core.UUID
	var die context.CancelCauseFunc
	child := &Flow{Name: "child", Fn: func(context.Context, core.JSON) (core.JSON, error) {
		calls++
		return nil, errors.New("handled")
	}}
	far := &Flow{Name: "far", Fn: func(context.Context, core.JSON) (core.JSON, error) { deployed++; return core.ToJSON(deployed), nil }}
	b.order(far)
	_, _, id := b.next()
	if _, err := b.svc.CancelFlowRun(t.Context(), id); err != nil { // only its deployment is wanted
		t.Fatal(err)
	}
	f := flowOf(func(ctx context.Context) (any, error) {
		if _, err := RunFlow(ctx, child, nil); err == nil || err.Error() != "handled" {
			return nil, err
		}
		i, _ := Current(ctx)
		if i.Attempt == 1 {
			return nil, errors.New("once more")
		}
		far, err := SubmitDeployment(ctx, b.svc, Deployed{Flow: "far", Name: "d"})
		if err != nil {
			return nil, err
		}
		own, err := SubmitDeployment(ctx, b.svc, Deployed{Flow: "far", Name: "d", Top: true})
		if err != nil {
			return nil, err
		}
		made = append(made, far.Run.ID, own.Run.ID)
		if die != nil {
			die(ErrLeaseLost)
			return nil, context.Cause(ctx)
		}
		return "over", nil
	}, FlowOptions{Retry: Retry{Max: 1}})
	b.order(f)
	ctx, end, id := b.next()
	die = func(err error) {
		if _, cerr := b.svc.ReportCrash(ctx, id, "killed", true); cerr != nil {
			t.Error(cerr)
		}
		end(err)
	}
	if _, err := b.e.Execute(ctx, f, id); !errors.Is(err, ErrLeaseLost) || calls != 2 {
		t.Fatal(err, calls)
	}
	die = nil
	b.pool.Free = 3
	claims := b.claims()
	if len(claims) != 3 { // the parent, and the two children that were deployed
		t.Fatal(claims)
	}
	for _, c := range claims {
		if c.FlowRun.ID != id {
			continue
		}
		out, err := b.e.Execute(core.WithRunToken(t.Context(), c.Token), f, id)
		if err != nil || string(out.Result) != `"over"` || calls != 2 {
			t.Fatal(out, err, calls)
		}
	}
	if len(made) != 4 || made[0] != made[2] || made[1] != made[3] || made[0] == made[1] {
		t.Error("a resumed attempt should get the children that were submitted:", made)
	}
	if more := b.claims(); len(more) != 0 {
		t.Fatal("a second child:", more)
	}
}
