package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func automationOf(r *row.Automation) *core.Automation {
	a := &core.Automation{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Description: r.Description, Enabled: r.IsEnabled,
		Tags: r.Tags, OwnerResource: r.OwnerResource,
	}
	decode(r.TriggerSpec, &a.Trigger)
	decode(r.Actions, &a.Actions)
	decode(r.ActionsOnTrigger, &a.ActionsOnTrigger)
	decode(r.ActionsOnResolve, &a.ActionsOnResolve)
	return a
}

func (r *reader) Automation(ctx context.Context, id core.UUID) (*core.Automation, error) {
	x, err := r.q.GetAutomation(ctx, row.GetAutomationParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Automation")
	}
	return automationOf(&x), nil
}

func (r *reader) Automations(ctx context.Context, f *core.AutomationFilter, p core.Page) ([]*core.Automation, error) {
	ids, err := r.ids(ctx, queries.Automations(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.Automation, error) {
		rows, err := r.q.ListAutomationsByIDs(ctx, row.ListAutomationsByIDsParams{Ids: ids})
		return rows, r.err(err, "Automation")
	}, automationOf, func(x *row.Automation) core.UUID { return x.ID })
}

func (r *reader) CountAutomations(ctx context.Context, f *core.AutomationFilter) (int64, error) {
	return r.count(ctx, queries.Automations(r.d, f, nil))
}

func (r *reader) AllAutomations(ctx context.Context) ([]*core.Automation, error) {
	rows, err := r.q.ListAllAutomations(ctx)
	return each(rows, r.err(err, "Automation"), automationOf)
}

func (r *reader) AutomationsVersion(ctx context.Context) (int64, core.Time, error) {
	v, err := r.q.AutomationsVersion(ctx)
	return v.Total, v.LatestTime, r.err(err, "Automation")
}

func (t *tx) InsertAutomation(ctx context.Context, a *core.Automation) error {
	if err := core.MaxAutomationOwner.Check(a.OwnerResource); err != nil {
		return err
	}
	return t.err(t.q.InsertAutomation(ctx, row.InsertAutomationParams{
		ID: a.ID, Created: a.Created, Updated: a.Updated, Name: a.Name, Description: a.Description, IsEnabled: a.Enabled, Tags: a.Tags,
		TriggerSpec: core.ToJSON(a.Trigger), Actions: core.ToJSON(a.Actions), ActionsOnTrigger: core.ToJSON(a.ActionsOnTrigger),
		ActionsOnResolve: core.ToJSON(a.ActionsOnResolve), OwnerResource: a.OwnerResource,
	}), "Automation")
}

func (t *tx) UpdateAutomation(ctx context.Context, a *core.Automation) error {
	if err := core.MaxAutomationOwner.Check(a.OwnerResource); err != nil {
		return err
	}
	n, err := t.q.UpdateAutomation(ctx, row.UpdateAutomationParams{
		Updated: a.Updated, Name: a.Name, Description: a.Description, IsEnabled: a.Enabled, Tags: a.Tags,
		TriggerSpec: core.ToJSON(a.Trigger), Actions: core.ToJSON(a.Actions), ActionsOnTrigger: core.ToJSON(a.ActionsOnTrigger),
		ActionsOnResolve: core.ToJSON(a.ActionsOnResolve), ID: a.ID,
	})
	return t.one(n, err, "Automation")
}

func (t *tx) DeleteAutomation(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteAutomation(ctx, row.DeleteAutomationParams{ID: id})
	return t.one(n, err, "Automation")
}

func (t *tx) DeleteAutomationsOwnedBy(ctx context.Context, resource string) (int64, error) {
	n, err := t.q.DeleteAutomationsOwnedBy(ctx, row.DeleteAutomationsOwnedByParams{OwnerResource: resource})
	return n, t.err(err, "Automation")
}

func (t *tx) LockAutomation(ctx context.Context, id core.UUID) (*core.Automation, error) {
	if _, err := t.q.LockAutomation(ctx, row.LockAutomationParams{ID: id}); err != nil {
		return nil, t.err(err, "Automation")
	}
	return t.Automation(ctx, id)
}

func (t *tx) ForgetAutomation(ctx context.Context, id core.UUID) error {
	_, err := t.q.DeleteBucketsOf(ctx, row.DeleteBucketsOfParams{AutomationID: id})
	if err == nil {
		_, err = t.q.DeleteChildFiringsOf(ctx, row.DeleteChildFiringsOfParams{AutomationID: id})
	}
	return t.err(err, "Automation")
}
