package localtest

import "github.com/flowlite/flowlite/runtime/core"

// Limit creates a global concurrency limit.
func (h *Fixture) Limit(name string, n int64) *core.GlobalConcurrencyLimit {
	h.T.Helper()
	return Must(h.CreateGlobalLimit(h.Ctx, core.GlobalConcurrencyLimitCreate{Name: name, Limit: n}))(h.T)
}

// Occupied wants the limit to have that many active slots.
func (h *Fixture) Occupied(l *core.GlobalConcurrencyLimit, want int64) {
	h.T.Helper()
	l = Must(h.Store.GlobalLimit(h.Ctx, l.ID))(h.T)
	if n := Must(h.ActiveSlots(h.Ctx, l))(h.T); n != want {
		h.T.Fatalf("%d slots of %s are occupied, want %d", n, l.Name, want)
	}
}

// OneSlot asks for a slot of each limit.
func OneSlot(names ...string) core.SlotRequest { return core.SlotRequest{Slots: 1, Names: names} }

// Acquired is the event of a client that took slots of l within a flow run.
func Acquired(l *core.GlobalConcurrencyLimit, run core.UUID) *core.Event {
	return &core.Event{Event: "prefect.concurrency-limit.acquired",
		Resource: map[string]string{"prefect.resource.id": "prefect.concurrency-limit." + l.ID.String()},
		Related:  []map[string]string{{"prefect.resource.id": "prefect.flow-run." + run.String(), "prefect.resource.role": "flow-run"}},
	}
}

// Holder names who holds a slot.
func Holder(kind string, id core.UUID) core.JSON {
	return core.ToJSON(map[string]any{"type": kind, "id": id})
}
