package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/build"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// lackFor is how long a worker takes no run of a deployment after it was not
// able to start one: somebody may install what is missing.
const lackFor = 5 * time.Minute

// errNoAddress is why a worker within a program that does not listen starts no process.
var errNoAddress = errors.New("the run needs a process of its own, and this program does not listen for it (NoListen); " +
	"start a worker of the pool elsewhere, or let the program listen")

// lacks says whether err means that this machine lacks what the run needs, so
// that another worker may be able to execute it.
func lacks(err error) bool {
	return errors.Is(err, errNoAddress) || errors.Is(err, build.ErrNoGo) ||
		errors.Is(err, python.ErrNoPython) || errors.Is(err, python.ErrNoPrefect)
}

// capability is what the worker can execute now.
func (w *Worker) capability() core.Capability {
	c := core.Capability{Flows: w.cfg.Flows}
	w.lackMu.Lock()
	defer w.lackMu.Unlock()
	for id, until := range w.lacking {
		if time.Now().After(until) {
			delete(w.lacking, id)
			continue
		}
		c.Except = append(c.Except, id)
	}
	return c
}

// returnRun makes a run that this machine cannot start SCHEDULED again, and
// takes no other run of its deployment for a while.
func (w *Worker) returnRun(ctx context.Context, r *run, why string) {
	w.lackMu.Lock()
	w.lacking[r.claim.FlowRun.DeploymentID] = time.Now().Add(lackFor)
	w.lackMu.Unlock()
	w.log.Warn("flow run returned to the pool", "flow_run", r.claim.FlowRun.Name, "error", why)
	text := fmt.Sprintf("Worker %s was not able to start the run: %s. The run waits for another worker; this one tries again in %s.",
		w.cfg.Name, why, lackFor)
	s := core.StateCreate{Type: core.Scheduled, Message: &text}
	s.Details.ScheduledTime = core.Now()
	w.keepTrying(ctx, "return the run to the pool", func() error {
		fr, err := w.orch.FlowRun(ctx, r.id())
		switch {
		case err != nil:
		case fr.StateType == core.Pending:
			_, err = w.orch.SetFlowRunState(ctx, r.id(), s, false)
		default: // it had begun, so that was no sign of what the machine lacks
			_, err = w.orch.ReportCrash(ctx, r.id(), why, false)
		}
		return err
	})
}
