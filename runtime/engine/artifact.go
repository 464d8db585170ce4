package engine

import (
	"context"
	"crypto/sha256"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// Artifact writes an artifact of the run around ctx.
func Artifact(ctx context.Context, o core.DataOrchestrator, kind, key, description string, data any) (core.UUID, error) {
	c := core.ArtifactCreate{Type: &kind, Data: core.ToJSON(data)}
	if key != "" {
		c.Key = &key
	}
	if description != "" {
		c.Description = &description
	}
	if s := scopeOf(ctx); s != nil {
		c.FlowRunID = s.run.rec.ID
		if s.task != nil {
			// The row must be there before something points at it.
			c.TaskRunID = s.task.ID
			s.run.report.flushStarts()
		}
	}
	a, err := ask(ctx, func() (*core.Artifact, error) { return o.CreateArtifact(ctx, c) })
	if err != nil {
		return core.UUID{}, err
	}
	return a.ID, nil
}

// eventID is the same in each process and attempt in which the flow, or a call of a
// task, emits the n-th event of this name and payload, so that a replay emits it
// once. It begins with the time of the run or task run, as other IDs do.
func (s *scope) eventID(name string, payload core.JSON) core.UUID {
	r, base := s.run, s.run.rec.ID
	if s.task != nil {
		base = s.task.ID
	}
	what := "event/" + name + "/" + digest(payload) + "@" + strconv.FormatInt(int64(r.fresh), 10)
	n := r.nth(ident{what, base.String()})
	sum := sha256.Sum256([]byte(base.String() + "/" + what + "/" + strconv.FormatInt(n, 10)))
	id := base
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70 // version 7
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Emit sends an event about the run around ctx, or about nothing in particular.
func Emit(ctx context.Context, o core.DataOrchestrator, name string, payload core.JSON) error {
	ev := &core.Event{ID: core.NewID(), Occurred: core.Now(), Event: name, Payload: payload.OrObject(),
		Resource: map[string]string{"prefect.resource.id": "flowlite.program"}, Related: []map[string]string{}}
	if s := scopeOf(ctx); s != nil {
		ev.ID = s.eventID(name, ev.Payload) // the server leaves out events that it knows
		ev.Resource = map[string]string{
			"prefect.resource.id":   "prefect.flow-run." + s.run.rec.ID.String(),
			"prefect.resource.name": s.run.rec.Name,
		}
		if s.task != nil {
			ev.Related = append(
				ev.Related,
				map[string]string{"prefect.resource.id": "prefect.task-run." + s.task.ID.String(), "prefect.resource.role": "task-run"},
			)
		}
	}
	return persist(ctx, func() error { return o.EmitEvents(ctx, []*core.Event{ev}) })
}
