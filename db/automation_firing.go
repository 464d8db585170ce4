package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

// What automations wait for, and what they still have to do.

func (r *reader) DueAutomationEvents(ctx context.Context, now core.Time, limit int) ([]core.QueuedEvent, error) {
	rows, err := r.q.ListDueAutomationEvents(ctx, row.ListDueAutomationEventsParams{DueTime: now, Lim: lim(limit)})
	queued := make([]core.QueuedEvent, len(rows))
	for i, x := range rows {
		queued[i] = core.QueuedEvent{EventID: x.EventID, Attempts: x.Attempts}
	}
	return queued, r.err(err, "Event")
}

func (r *reader) AutomationEventWaits(ctx context.Context, eventID core.UUID) (bool, error) {
	n, err := r.q.HasAutomationEvent(ctx, row.HasAutomationEventParams{EventID: eventID})
	return n > 0, r.err(err, "Event")
}

func bucketOf(x *row.AutomationBucket) *core.Bucket {
	return &core.Bucket{AutomationID: x.AutomationID, TriggerID: x.TriggerID, Key: x.BucketingKey,
		Start: x.StartTime, End: x.EndTime, Count: x.EventCount, LastEvent: x.LastEvent}
}

func (r *reader) Bucket(ctx context.Context, triggerID core.UUID, key string) (*core.Bucket, error) {
	x, err := r.q.GetBucket(ctx, row.GetBucketParams{TriggerID: triggerID, BucketingKey: key})
	if err != nil {
		return nil, r.err(err, "Bucket")
	}
	return bucketOf(&x), nil
}

func (r *reader) ClosedBuckets(ctx context.Context, now core.Time, limit int) ([]*core.Bucket, error) {
	rows, err := r.q.ListClosedBuckets(ctx, row.ListClosedBucketsParams{EndTime: now, Lim: lim(limit)})
	return each(rows, r.err(err, "Bucket"), bucketOf)
}

func (r *reader) ChildFirings(ctx context.Context, parentID core.UUID) ([]*core.ChildFiring, error) {
	rows, err := r.q.ListChildFirings(ctx, row.ListChildFiringsParams{ParentID: parentID})
	return each(rows, r.err(err, "Firing"), func(x *row.AutomationChildFiring) *core.ChildFiring {
		return &core.ChildFiring{AutomationID: x.AutomationID, ParentID: x.ParentID, TriggerID: x.TriggerID, Fired: x.FiredTime, Firing: x.Firing}
	})
}

func (r *reader) DueActions(ctx context.Context, now core.Time, limit int) ([]*core.DueAction, error) {
	rows, err := r.q.ListDueActions(ctx, row.ListDueActionsParams{DueTime: now, Lim: lim(limit)})
	return each(rows, r.err(err, "Action"), func(x *row.AutomationAction) *core.DueAction {
		return &core.DueAction{ID: x.ID, AutomationID: x.AutomationID, Index: x.ActionIndex, Action: x.Action, Firing: x.Firing,
			Triggered: x.TriggeredTime, Due: x.DueTime, Attempts: x.Attempts}
	})
}

func (t *tx) QueueAutomationEvents(ctx context.Context, events []*core.Event, due core.Time) error {
	for _, e := range events {
		if err := t.q.InsertAutomationEvent(ctx, row.InsertAutomationEventParams{EventID: e.ID, Occurred: e.Occurred, DueTime: due}); err != nil {
			return t.err(err, "Event")
		}
	}
	return nil
}

func (t *tx) TakeAutomationEvent(ctx context.Context, eventID core.UUID) (bool, error) {
	n, err := t.q.TakeAutomationEvent(ctx, row.TakeAutomationEventParams{EventID: eventID})
	return n > 0, t.err(err, "Event")
}

func (t *tx) ParkAutomationEvent(ctx context.Context, eventID core.UUID, due core.Time) error {
	_, err := t.q.ParkAutomationEvent(ctx, row.ParkAutomationEventParams{EventID: eventID, DueTime: due})
	return t.err(err, "Event")
}

func (t *tx) PutBucket(ctx context.Context, b *core.Bucket) error {
	return t.err(t.q.PutBucket(ctx, row.PutBucketParams{AutomationID: b.AutomationID, TriggerID: b.TriggerID, BucketingKey: b.Key,
		StartTime: b.Start, EndTime: b.End, EventCount: b.Count, LastEvent: b.LastEvent}), "Bucket")
}

func (t *tx) DeleteBucket(ctx context.Context, triggerID core.UUID, key string) error {
	_, err := t.q.DeleteBucket(ctx, row.DeleteBucketParams{TriggerID: triggerID, BucketingKey: key})
	return t.err(err, "Bucket")
}

func (t *tx) PutChildFiring(ctx context.Context, f *core.ChildFiring) error {
	return t.err(t.q.PutChildFiring(ctx, row.PutChildFiringParams{AutomationID: f.AutomationID, ParentID: f.ParentID, TriggerID: f.TriggerID,
		FiredTime: f.Fired, Firing: f.Firing}), "Firing")
}

func (t *tx) DeleteChildFirings(ctx context.Context, parentID core.UUID, before core.Time) error {
	_, err := t.q.DeleteChildFirings(ctx, row.DeleteChildFiringsParams{ParentID: parentID, FiredTime: before})
	return t.err(err, "Firing")
}

func (t *tx) InsertDueAction(ctx context.Context, a *core.DueAction) error {
	return t.err(t.q.InsertDueAction(ctx, row.InsertDueActionParams{ID: a.ID, AutomationID: a.AutomationID, ActionIndex: a.Index,
		Action: a.Action, Firing: a.Firing, TriggeredTime: a.Triggered, DueTime: a.Due}), "Action")
}

func (t *tx) ClaimDueAction(ctx context.Context, a *core.DueAction, until core.Time) (bool, error) {
	n, err := t.q.ClaimDueAction(ctx, row.ClaimDueActionParams{ID: a.ID, Attempts: a.Attempts, UntilTime: until})
	return n > 0, t.err(err, "Action")
}

func (t *tx) ReturnDueAction(ctx context.Context, a *core.DueAction, due core.Time) error {
	return t.err(t.q.ReturnDueAction(ctx, row.ReturnDueActionParams{ID: a.ID, Attempts: a.Attempts + 1, DueTime: due}), "Action")
}

func (t *tx) DeleteDueAction(ctx context.Context, id core.UUID) (bool, error) {
	n, err := t.q.DeleteDueAction(ctx, row.DeleteDueActionParams{ID: id})
	return n > 0, t.err(err, "Action")
}
