package localtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Automation is the body that creates an automation of a trigger and actions.
func Automation(trigger string, actions ...string) core.AutomationWrite {
	var w core.AutomationWrite
	if err := json.Unmarshal(fmt.Appendf(nil, `{"name":"a","trigger":%s,"actions":[%s]}`, trigger, strings.Join(actions, ",")), &w); err != nil {
		panic(err)
	}
	return w
}

// Emit stores events; what they lack is filled in.
func (h *Fixture) Emit(events ...*core.Event) {
	h.T.Helper()
	now := h.Now()
	for i, e := range events {
		if e.ID.IsZero() {
			e.ID = core.NewID()
		}
		if e.Occurred == 0 {
			e.Occurred = now + core.Time(i)
		}
		if e.Resource == nil {
			e.Resource = map[string]string{"prefect.resource.id": "thing.1"}
		}
	}
	if err := h.EmitEvents(h.Ctx, events); err != nil {
		h.T.Fatal(err)
	}
}

// Round evaluates the queued events and does the actions that are due.
func (h *Fixture) Round() {
	h.T.Helper()
	Must(h.EvaluateAutomations(h.Ctx))(h.T)
	Must(h.DoActions(h.Ctx))(h.T)
}

// Stored are the stored events of a name, oldest first.
func (h *Fixture) Stored(name string) []*core.Event {
	h.T.Helper()
	return Must(h.Store.Events(h.Ctx, &core.EventFilter{Event: &core.EventName{Name: []string{name}}, Order: "ASC"}, core.Page{}))(h.T)
}
