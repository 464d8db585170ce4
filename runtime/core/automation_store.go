package core

import "context"

// AutomationReader is what can be asked of automations, and of what they wait for.
type AutomationReader interface {
	Automation(ctx context.Context, id UUID) (*Automation, error)
	Automations(ctx context.Context, f *AutomationFilter, p Page) ([]*Automation, error)
	CountAutomations(ctx context.Context, f *AutomationFilter) (int64, error)
	// AllAutomations is every automation, for those who look at each event.
	AllAutomations(ctx context.Context) ([]*Automation, error)
	// AutomationsVersion changes whenever an automation does.
	AutomationsVersion(ctx context.Context) (total int64, latest Time, err error)

	// DueAutomationEvents are queued events that may be looked at, oldest first.
	DueAutomationEvents(ctx context.Context, now Time, limit int) ([]QueuedEvent, error)
	// AutomationEventWaits tells whether an event is still in the queue.
	AutomationEventWaits(ctx context.Context, eventID UUID) (bool, error)
	Bucket(ctx context.Context, triggerID UUID, key string) (*Bucket, error)
	// ClosedBuckets are those whose span has ended.
	ClosedBuckets(ctx context.Context, now Time, limit int) ([]*Bucket, error)
	ChildFirings(ctx context.Context, parentID UUID) ([]*ChildFiring, error)
	DueActions(ctx context.Context, now Time, limit int) ([]*DueAction, error)
}

// QueuedEvent is an event that a trigger may care for.
type QueuedEvent struct {
	EventID  UUID
	Attempts int64
}

// AutomationTx is what a transaction does with automations.
type AutomationTx interface {
	InsertAutomation(ctx context.Context, a *Automation) error
	UpdateAutomation(ctx context.Context, a *Automation) error
	DeleteAutomation(ctx context.Context, id UUID) error
	DeleteAutomationsOwnedBy(ctx context.Context, resource string) (int64, error)
	// LockAutomation reads one so that nobody else evaluates its triggers meanwhile.
	LockAutomation(ctx context.Context, id UUID) (*Automation, error)
	// ForgetAutomation drops the buckets and firings that its triggers have gathered.
	ForgetAutomation(ctx context.Context, id UUID) error

	QueueAutomationEvents(ctx context.Context, events []*Event, due Time) error
	// TakeAutomationEvent removes an event from the queue; false means that
	// another server has.
	TakeAutomationEvent(ctx context.Context, eventID UUID) (bool, error)
	// ParkAutomationEvent puts it off.
	ParkAutomationEvent(ctx context.Context, eventID UUID, due Time) error
	PutBucket(ctx context.Context, b *Bucket) error
	DeleteBucket(ctx context.Context, triggerID UUID, key string) error
	PutChildFiring(ctx context.Context, f *ChildFiring) error
	// DeleteChildFirings drops those of a parent that fired before.
	DeleteChildFirings(ctx context.Context, parentID UUID, before Time) error
	InsertDueAction(ctx context.Context, a *DueAction) error
	// ClaimDueAction keeps others from an action until then; false means that
	// another server was faster.
	ClaimDueAction(ctx context.Context, a *DueAction, until Time) (bool, error)
	// ReturnDueAction takes the claim of a back, as if the action had not begun; it
	// is due at due. An action that has been claimed since, or is gone, stays as it is.
	ReturnDueAction(ctx context.Context, a *DueAction, due Time) error
	// DeleteDueAction is false where it is gone already.
	DeleteDueAction(ctx context.Context, id UUID) (bool, error)
}
