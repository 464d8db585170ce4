package client

import (
	"context"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// RecordTaskRuns sends reports as the events that a Prefect client sends, one
// per state, in one request that is answered when they are durable. The event
// id is the state's id, so that a repeated report changes nothing.
func (c *Client) RecordTaskRuns(ctx context.Context, reports []*core.TaskRunReport) error {
	events := make([]*core.Event, 0, 2*len(reports))
	for _, r := range reports {
		events = append(events, EventsOf(r)...)
	}
	return c.EmitEvents(ctx, events)
}

type validatedState struct {
	Type    core.StateType    `json:"type"`
	Name    string            `json:"name"`
	Message *string           `json:"message"`
	Data    core.JSON         `json:"data"`
	Details core.StateDetails `json:"state_details"`
}

type intended struct {
	From *core.StateType `json:"from"`
	To   core.StateType  `json:"to"`
}

type taskPayload struct {
	Intended  intended        `json:"intended"`
	Initial   *validatedState `json:"initial_state"`
	Validated *validatedState `json:"validated_state"`
	TaskRun   *core.TaskRun   `json:"task_run"`
}

// EventsOf encodes a report without loss: the whole task run and each state
// with its data and details.
func EventsOf(r *core.TaskRunReport) []*core.Event {
	record := *r.TaskRun
	record.State = nil // each event carries its own
	t := &record
	resource := "prefect.task-run." + t.ID.String()
	var related []map[string]string
	if !t.FlowRunID.IsZero() {
		related = append(related, map[string]string{
			"prefect.resource.id": "prefect.flow-run." + t.FlowRunID.String(), "prefect.resource.role": "flow-run"})
	}
	var before *core.State
	events := make([]*core.Event, len(r.States))
	for i, s := range r.States {
		if s.ID.IsZero() {
			s.ID = core.NewID()
		}
		if s.Name == "" {
			s.Name = s.Type.Name()
		}
		p := taskPayload{TaskRun: t, Intended: intended{To: s.Type},
			Validated: &validatedState{s.Type, s.Name, s.Message, s.Data, s.Details}}
		e := &core.Event{ID: s.ID, Occurred: s.Timestamp, Event: "prefect.task-run." + s.Name, Related: related,
			Resource: map[string]string{
				"prefect.resource.id": resource, "prefect.resource.name": t.Name, "prefect.orchestration": "client",
				"prefect.run-count": strconv.FormatInt(t.RunCount, 10), "prefect.state-type": string(s.Type),
				"prefect.state-name": s.Name, "prefect.state-message": cut(core.Deref(s.Message)),
				"prefect.state-timestamp": s.Timestamp.Time().Format("2006-01-02T15:04:05.000000+00:00"),
			}}
		if before != nil {
			p.Initial = &validatedState{Type: before.Type, Name: before.Name, Message: before.Message}
			p.Intended.From = &before.Type
			e.Follows = before.ID
		}
		e.Payload = core.ToJSON(p)
		events[i], before = e, s
	}
	return events
}

// cut keeps a label short; the whole message is in the payload.
func cut(s string) string {
	if len(s) > 1000 {
		return s[:1000]
	}
	return s
}
