// Package data serves the pages of artifacts, variables, secrets, blocks,
// concurrency limits, events and settings.
package data

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
)

// Routes adds the pages and forms of stored data.
func (u *UI) Routes(r *page.Router) {
	r.Get("/events", u.events)
	r.Get("/events/stream", u.eventStream)
	r.Get("/events/{id}", u.event)
	r.Get("/artifacts", u.artifacts)
	r.Get("/artifacts/{id}", u.artifact)
	r.Post("/artifacts/{id}/delete", u.deleteArtifact)
	r.Get("/variables", u.variables)
	r.Get("/variables/{id}", u.variable)
	r.Post("/variables/{id}", u.saveVariable)
	r.Post("/variables/{id}/delete", u.deleteVariable)
	r.Get("/secrets", u.Forward("/variables", ""))
	r.Get("/secrets/{id}", u.secret)
	r.Post("/secrets/{id}", u.saveSecret)
	r.Post("/secrets/{id}/delete", u.deleteSecret)
	r.Get("/blocks", u.blocks)
	r.Get("/blocks/new", u.newBlock)
	r.Post("/blocks/new", u.createBlock)
	r.Get("/blocks/{id}", u.block)
	r.Post("/blocks/{id}", u.saveBlock)
	r.Post("/blocks/{id}/delete", u.deleteBlock)
	r.Get("/concurrency", u.limits)
	r.Get("/concurrency/{id}", u.limit)
	r.Post("/concurrency/{id}", u.saveLimit)
	r.Post("/concurrency/{id}/toggle", u.toggleLimit)
	r.Post("/concurrency/{id}/reset", u.resetLimit)
	r.Post("/concurrency/{id}/delete", u.deleteLimit)
	r.Post("/concurrency/{id}/holders/{lease}/free", u.freeSlots)
	r.Get("/settings", u.settings)

	// the addresses that Prefect prints
	r.Get("/artifacts/artifact/{id}", u.Forward("/artifacts", "id"))
	r.Get("/concurrency-limits/concurrency-limit/{id}", u.Forward("/concurrency", "id"))
	r.Get("/blocks/block/{id}", u.Forward("/blocks", "id"))
	r.Get("/events/event/{occurred}/{id}", u.Forward("/events", "id"))
}

// UI serves the pages of stored data.
type UI struct {
	*page.Kit
	Services
	Store Store

	bars bars
}

// New makes the room.
func New(kit *page.Kit, services Services, store Store) *UI {
	return &UI{Kit: kit, Services: services, Store: store}
}

// Services is what the forms of the room do, by kind of record.
type Services struct {
	Artifacts Artifacts
	Blocks    Blocks
	Limits    Limits
	Variables Variables
}

// Artifacts is what the forms do to artifacts.
type Artifacts interface {
	DeleteArtifact(ctx context.Context, id core.UUID) error
}

// Blocks is what the forms do to blocks and secrets.
type Blocks interface {
	BlockDocument(ctx context.Context, id core.UUID, secrets bool) (*core.BlockDocument, error)
	CreateBlockDocument(ctx context.Context, c core.BlockDocumentCreate) (*core.BlockDocument, error)
	CreateSecret(ctx context.Context, name string, value core.JSON) (*core.BlockDocument, error)
	DeleteBlockDocument(ctx context.Context, id core.UUID) error
	SetSecret(ctx context.Context, name string, value core.JSON) error
	UpdateBlockDocument(ctx context.Context, id core.UUID, u core.BlockDocumentUpdate) error
}

// Limits is what the forms do to concurrency limits, and who holds their slots.
type Limits interface {
	ActiveSlots(ctx context.Context, l *core.GlobalConcurrencyLimit) (int64, error)
	CreateGlobalLimit(ctx context.Context, c core.GlobalConcurrencyLimitCreate) (*core.GlobalConcurrencyLimit, error)
	DeleteGlobalLimit(ctx context.Context, id core.UUID) error
	Holders(ctx context.Context, limitID core.UUID, limit int) ([]core.SlotHolder, error)
	ReleaseSlots(ctx context.Context, leaseID core.UUID) error
	ResetTagLimit(ctx context.Context, tag string, holders []core.UUID) error
	SetTagLimit(ctx context.Context, c core.TagLimitCreate) (*core.TagLimit, error)
	UpdateGlobalLimit(ctx context.Context, id core.UUID, u core.GlobalConcurrencyLimitUpdate) error
}

// Variables is what the forms do to variables.
type Variables interface {
	CreateVariable(ctx context.Context, c core.VariableCreate) (*core.Variable, error)
	DeleteVariable(ctx context.Context, id core.UUID) error
	UpdateVariable(ctx context.Context, id core.UUID, u core.VariableUpdate) error
}

// Store is what the pages read.
type Store interface {
	Artifact(ctx context.Context, id core.UUID) (*core.Artifact, error)
	ArtifactCollections(ctx context.Context, f *core.ArtifactFilter, p core.Page) ([]*core.ArtifactCollection, error)
	Artifacts(ctx context.Context, f *core.ArtifactFilter, p core.Page) ([]*core.Artifact, error)
	BlockDocument(ctx context.Context, id core.UUID) (*core.BlockDocument, error)
	BlockDocuments(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockDocument, error)
	BlockSchemas(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockSchema, error)
	BlockTypeBySlug(ctx context.Context, slug string) (*core.BlockType, error)
	BlockTypes(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockType, error)
	CountEvents(ctx context.Context, f *core.EventFilter) (int64, error)
	Events(ctx context.Context, f *core.EventFilter, p core.Page) ([]*core.Event, error)
	Facts(ctx context.Context) (*core.StoreFacts, error)
	FlowRunsByIDs(ctx context.Context, ids []core.UUID) ([]*core.FlowRun, error)
	GlobalLimit(ctx context.Context, id core.UUID) (*core.GlobalConcurrencyLimit, error)
	GlobalLimitByName(ctx context.Context, name string) (*core.GlobalConcurrencyLimit, error)
	GlobalLimits(ctx context.Context, ofTags bool, p core.Page) ([]*core.GlobalConcurrencyLimit, error)
	SlotLease(ctx context.Context, id core.UUID) (*core.SlotLease, error)
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
	TaskRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.TaskRun, error)
	Variable(ctx context.Context, id core.UUID) (*core.Variable, error)
	Variables(ctx context.Context, f *core.VariableFilter, p core.Page) ([]*core.Variable, error)
}
