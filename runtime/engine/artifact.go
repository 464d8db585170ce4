package engine

import (
	"context"
	"crypto/sha256"
	"strconv"
	"sync/atomic"

	"github.com/flowlite/flowlite/runtime/core"
)

// Artifact writes an artifact of the run around ctx. The n-th one of a kind and key
// that the flow, or a call of a task, creates is one artifact: a replay leaves it as
// it is, and another attempt that gives other content updates it.
func Artifact(ctx context.Context, o core.DataOrchestrator, kind, key, description string, data any) (*core.Artifact, error) {
	c := core.ArtifactCreate{Type: &kind, Data: core.ToJSON(data)}
	if key != "" {
		c.Key = &key
	}
	if description != "" {
		c.Description = &description
	}
	if s := scopeOf(ctx); s != nil {
		if err := left(ctx); err != nil {
			return nil, err
		}
		c.FlowRunID, c.ArtifactCall = s.run.rec.ID, s.artifactCall(kind, key)
		if s.task != nil {
			// The row must be there before something points at it.
			c.TaskRunID = s.task.ID
			s.run.report.flushStarts()
		}
	}
	return ask(ctx, func() (*core.Artifact, error) { return o.CreateArtifact(ctx, c) })
}

// artifactCall is the next call that creates an artifact of this kind and key.
func (s *scope) artifactCall(kind, key string) core.ArtifactCall {
	source := s.source()
	n := s.nth("artifact/"+kind+"/"+key, source)
	call := digest(core.JSON(source+"/"+kind+"/"+key)) + "-" + strconv.FormatInt(n, 10)
	return core.ArtifactCall{Call: &call, Attempt: s.attempt()}
}

// ArtifactUpdates returns what updates the data of an artifact that a call of this
// process created, or found.
func ArtifactUpdates[T any](ctx context.Context, o core.DataOrchestrator, a *core.Artifact, data func(T) any) func(T) error {
	var call core.ArtifactCall
	if s := scopeOf(ctx); s != nil {
		call.Attempt = s.attempt()
	}
	var n atomic.Int64
	return func(v T) error {
		u := core.ArtifactUpdate{Data: core.Some(core.ToJSON(data(v))), ArtifactCall: call}
		if scopeOf(ctx) != nil {
			u.Updates = n.Add(1)
		}
		return persist(ctx, func() error { return o.UpdateArtifact(ctx, a.ID, u) })
	}
}

// attempt is that of the task, or of the flow in the flow itself. A process that
// continues an attempt of the flow has the same one.
func (s *scope) attempt() int64 {
	if s.task != nil {
		return s.task.RunCount
	}
	return s.run.rec.RunCount
}

// eventID is the same in each process and attempt in which the flow, or a call of a
// task, emits the n-th event of this name and payload, so that a replay emits it
// once. It begins with the time of the run, as other IDs do.
func (s *scope) eventID(name string, payload core.JSON) core.UUID {
	return s.onceID("event/" + name + "/" + digest(payload))
}

// onceID is the same in each process and attempt for the n-th time that the flow,
// or a call of a task, does what.
func (s *scope) onceID(what string) core.UUID {
	base := s.run.rec.ID
	what += "@" + strconv.FormatInt(int64(s.run.fresh), 10)
	source := s.source()
	if s.task != nil { // not by the ID of its row, which a process may not have stored before it died
		what += "/" + source
	}
	n := s.nth(what, source)
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
