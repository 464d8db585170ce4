package uitest

import (
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (h *Fixture) Variable(name, value string, tags ...string) *core.Variable {
	h.T.Helper()
	v, err := h.Service.CreateVariable(h.T.Context(), core.VariableCreate{Name: name, Value: core.Some(core.JSON(value)), Tags: tags})
	h.Check(err)
	return v
}

func (h *Fixture) Secret(name, value string) *core.BlockDocument {
	h.T.Helper()
	d, err := h.Service.CreateSecret(h.T.Context(), name, core.ToJSON(value))
	h.Check(err)
	return d
}

func (h *Fixture) BlockOf(slug, name, data string) *core.BlockDocument {
	h.T.Helper()
	ctx := h.T.Context()
	h.Check(h.Service.RegisterBlocks(ctx))
	t, err := h.Store.BlockTypeBySlug(ctx, slug)
	h.Check(err)
	schemas, err := h.Store.BlockSchemas(ctx, core.BlockFilters{Schemas: &core.BlockSchemaFilter{BlockTypeID: &core.IDFilter{Any: []core.UUID{t.ID}}}}, core.Page{Limit: 1})
	h.Check(err)
	m := map[string]core.JSON{}
	for k, v := range core.JSON(data).Map() {
		m[k] = core.ToJSON(v)
	}
	d, err := h.Service.CreateBlockDocument(ctx, core.BlockDocumentCreate{Name: &name, Data: m, BlockSchemaID: schemas[0].ID, BlockTypeID: t.ID})
	h.Check(err)
	return d
}

func (h *Fixture) Artifact(key, kind string, data core.JSON, run core.UUID) *core.Artifact {
	h.T.Helper()
	a, err := h.Service.CreateArtifact(h.T.Context(), core.ArtifactCreate{Key: &key, Type: &kind, Data: data, FlowRunID: run})
	h.Check(err)
	return a
}

func (h *Fixture) Limit(name string, slots int64, decay float64) *core.GlobalConcurrencyLimit {
	h.T.Helper()
	l, err := h.Service.CreateGlobalLimit(h.T.Context(), core.GlobalConcurrencyLimitCreate{Name: name, Limit: slots, SlotDecayPerSecond: decay})
	h.Check(err)
	return l
}

// Hold takes a slot by lease for a run.
func (h *Fixture) Hold(limit, kind string, id core.UUID) core.UUID {
	h.T.Helper()
	g, err := h.Service.AcquireSlots(h.T.Context(), core.SlotRequest{Slots: 1, Names: []string{limit}, LeaseDuration: 300,
		Holder: core.ToJSON(map[string]string{"type": kind, "id": id.String()})})
	h.Check(err)
	return g.LeaseID
}

// Opened is a block's data in the clear.
func (h *Fixture) Opened(id core.UUID) map[string]any {
	h.T.Helper()
	d, err := h.Service.BlockDocument(h.T.Context(), id, true)
	h.Check(err)
	return d.Data.Map()
}

func (h *Fixture) Emit(name, resource string, ago time.Duration, payload string, related ...map[string]string) *core.Event {
	h.T.Helper()
	e := &core.Event{ID: core.NewID(), Occurred: core.Now().Add(-ago), Event: name, Resource: map[string]string{"prefect.resource.id": resource}, Related: related, Payload: core.JSON(payload)}
	h.Check(h.Service.EmitEvents(h.T.Context(), []*core.Event{e}))
	return e
}

// Logs writes many lines at once.
func (h *Fixture) Logs(run core.UUID, n int, line func(i int) core.LogCreate) {
	h.T.Helper()
	list := make([]core.LogCreate, n)
	for i := range list {
		list[i] = line(i)
		list[i].FlowRunID, list[i].Timestamp = run, h.Now()
	}
	h.Check(h.Service.WriteLogs(h.T.Context(), list))
}

func (h *Fixture) Deployment(id core.UUID) *core.Deployment {
	h.T.Helper()
	d, err := h.Store.Deployment(h.T.Context(), id)
	h.Check(err)
	return d
}

func (h *Fixture) Schedules(d *core.Deployment) []*core.Schedule {
	h.T.Helper()
	d, err := h.Store.Deployment(h.T.Context(), d.ID)
	h.Check(err)
	return d.Schedules
}

func (h *Fixture) Pool(name string) *core.WorkPool {
	h.T.Helper()
	p, err := h.Store.WorkPoolByName(h.T.Context(), name)
	h.Check(err)
	return p
}

func (h *Fixture) DefaultQueue() *core.WorkQueue {
	h.T.Helper()
	q, err := h.Store.WorkQueue(h.T.Context(), h.Pool("default").DefaultQueueID)
	h.Check(err)
	return q
}

// Planned is when the newest run of a deployment is to start.
func (h *Fixture) Planned(d *core.Deployment) string {
	h.T.Helper()
	runs, err := h.Store.FlowRuns(h.T.Context(), core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: one(d.ID)}}, core.Page{Limit: 1})
	h.Check(err)
	return runs[0].ExpectedStartTime.String()
}

func one(id core.UUID) *core.IDFilter { return &core.IDFilter{Any: []core.UUID{id}} }

// Used is how many slots of a limit are taken.
func (h *Fixture) Used(name string) int64 {
	h.T.Helper()
	l, err := h.Store.GlobalLimitByName(h.T.Context(), name)
	h.Check(err)
	n, err := h.Service.ActiveSlots(h.T.Context(), l)
	h.Check(err)
	return n
}
