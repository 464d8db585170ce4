package automation

import (
	"context"
	"log/slog"

	"github.com/flowlite/flowlite/runtime/block"
	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/template"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// Actor does what actions ask for.
type Actor interface {
	CancelFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error)
	SuspendFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error)
	ResumeFlowRun(ctx context.Context, id core.UUID, input core.JSON) (*core.OrchestrationResult, error)
	SetFlowRunState(ctx context.Context, id core.UUID, c core.StateCreate, force bool) (*core.OrchestrationResult, error)
	// CreateDeploymentFlowRunBy creates a run of a deployment that by is the creator of.
	CreateDeploymentFlowRunBy(
		ctx context.Context,
		deploymentID core.UUID,
		c core.DeploymentFlowRunCreate,
		by *core.CreatedBy,
	) (*core.FlowRun, error)
	// SetDeploymentPaused returns ENotFound if there is no such deployment.
	SetDeploymentPaused(ctx context.Context, id core.UUID, paused bool) error
	UpdateWorkPool(ctx context.Context, name string, u core.WorkPoolUpdate) error
	UpdateWorkQueue(ctx context.Context, id core.UUID, u core.WorkQueueUpdate) error
}

// Documents opens block documents.
type Documents interface {
	// BlockDocument comes with its data; secrets says whether in the clear.
	BlockDocument(ctx context.Context, id core.UUID, secrets bool) (*core.BlockDocument, error)
}

// Store is what is read outside of a transaction, also by the templates of actions.
type Store interface {
	core.AutomationReader
	block.Variables
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	Flow(ctx context.Context, id core.UUID) (*core.Flow, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	GlobalLimit(ctx context.Context, id core.UUID) (*core.GlobalConcurrencyLimit, error)
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
	Variables(ctx context.Context, f *core.VariableFilter, p core.Page) ([]*core.Variable, error)
	WorkPool(ctx context.Context, id core.UUID) (*core.WorkPool, error)
	WorkQueue(ctx context.Context, id core.UUID) (*core.WorkQueue, error)
	Write(ctx context.Context, fn func(tx core.Tx) error) error
}

// Tx is what the evaluation of triggers reads and writes in a transaction.
type Tx interface {
	core.AutomationReader
	core.AutomationTx
	core.EventReader
}

// Config is what Automations needs. All fields but Private and URL are required.
type Config struct {
	Store    Store
	Bus      core.Bus
	Commit   *commit.Writer
	Triggers *trigger.Set // that Commit asks, too
	Actor    Actor
	Blocks   Documents
	Log      *slog.Logger
	Now      func() core.Time
	URL      string         // of the UI, for links in notifications
	Private  notify.Private // private addresses that notifications and webhooks may reach

	Templates template.Engine // renders the texts of actions
	Sender    notify.Sender   // sends what services of many kinds receive
}

// Automations has the use cases of automations, evaluates their triggers, and runs
// their actions.
type Automations struct {
	store    Store
	bus      core.Bus
	commit   *commit.Writer
	triggers *trigger.Set
	actor    Actor
	blocks   Documents
	log      *slog.Logger
	now      func() core.Time
	url      string
	private  notify.Private

	templates template.Engine
	sender    notify.Sender

	claims unreturned
}

// New returns Automations on c.
func New(c Config) *Automations {
	return &Automations{store: c.Store, bus: c.Bus, commit: c.Commit, triggers: c.Triggers, actor: c.Actor, blocks: c.Blocks,
		log: c.Log, now: c.Now, url: c.URL, private: c.Private, templates: c.Templates, sender: c.Sender}
}

// ValidateTemplate returns a *template.Error if the text is not a template that an action
// may have.
func (s *Automations) ValidateTemplate(text string) error { return s.templates.Validate(text) }

// FollowPeers loads the automations that other servers have changed.
func (s *Automations) FollowPeers(ctx context.Context) error { return s.triggers.Refresh(ctx, s.store) }
