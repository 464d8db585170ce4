package orchestrate

import (
	"context"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// Events of deployments, pools and queues that become ready, not ready or paused.

func statusEvent(kind string, id core.UUID, name, status string, now core.Time) *core.Event {
	return &core.Event{
		ID: core.NewID(), Occurred: now, Event: "prefect." + kind + "." + strings.ReplaceAll(strings.ToLower(status), "_", "-"),
		Resource: map[string]string{"prefect.resource.id": "prefect." + kind + "." + id.String(), "prefect.resource.name": name},
		Related:  []map[string]string{}, Payload: core.JSON("{}"),
	}
}

func relatedPool(id core.UUID, name, kind string) map[string]string {
	r := core.RelatedResource("work-pool", id, "work-pool", name)
	r["prefect.work-pool.type"] = kind
	return r
}

func queueEvent(p *core.WorkPool, q *core.WorkQueue, status string, now core.Time) *core.Event {
	e := statusEvent("work-queue", q.ID, q.Name, status, now)
	e.Related = append(e.Related, relatedPool(p.ID, p.Name, p.Type))
	return e
}

func (s *Service) deploymentEvent(ctx context.Context, r nameReader, d *core.Deployment, status string) *core.Event {
	e := statusEvent("deployment", d.ID, d.Name, status, s.now())
	e.Related = append(e.Related, core.RelatedResource("flow", d.FlowID, "flow", s.flowNames(ctx, r, d.FlowID).name))
	if !d.WorkQueueID.IsZero() {
		e.Related = append(e.Related, core.RelatedResource("work-queue", d.WorkQueueID, "work-queue", core.Deref(d.WorkQueueName)))
	}
	if !d.WorkPoolID.IsZero() {
		p := s.poolNames(ctx, r, d.WorkPoolID)
		e.Related = append(e.Related, relatedPool(d.WorkPoolID, p.name, p.kind))
	}
	return e
}

// poolStatus gives a pool a status; the caller writes the pool. Only pool
// events follow the one before, if it is younger than 10 minutes.
func (s *Service) poolStatus(ctx context.Context, r core.EventReader, out *commit.Outbox, p *core.WorkPool, status string) {
	if core.Deref(p.Status) == status {
		return
	}
	p.Status = &status
	e := statusEvent("work-pool", p.ID, p.Name, status, s.now())
	e.Resource["prefect.work-pool.type"] = p.Type
	before, err := r.Events(ctx, &core.EventFilter{
		Occurred: &core.EventOccurred{Since: s.now().Add(-10 * time.Minute), Until: s.now()},
		Resource: &core.EventResource{ID: []string{e.ResourceID()}},
		Event:    &core.EventName{Prefix: []string{"prefect.work-pool."}},
	}, core.Page{Limit: 1})
	if err == nil && len(before) == 1 {
		e.Follows = before[0].ID
	}
	out.Event(e)
	out.Pool(p.ID)
}
