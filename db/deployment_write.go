package db

import (
	"cmp"
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func deploymentOf(r *row.DeploymentFull) *core.Deployment {
	return &core.Deployment{
		Schedules: []*core.Schedule{},
		ID:        r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Version: r.Version, Description: r.Description,
		FlowID: r.FlowID, Paused: r.Paused, ConcurrencyLimitID: r.ConcurrencyLimitID,
		ConcurrencyOptions: ptrJSON[core.ConcurrencyOptions](r.ConcurrencyOptions), JobVariables: r.JobVariables,
		Parameters: r.Parameters, Tags: r.Tags, Labels: r.Labels, WorkQueueID: r.WorkQueueID, LastPolled: r.LastPolled,
		ParameterOpenAPISchema: r.ParameterOpenapiSchema, Path: r.Path, PullSteps: r.PullSteps, Entrypoint: r.Entrypoint,
		StorageDocumentID: r.StorageDocumentID, InfrastructureDocumentID: r.InfrastructureDocumentID,
		CreatedBy: ptrJSON[core.CreatedBy](r.CreatedBy), UpdatedBy: ptrJSON[core.CreatedBy](r.UpdatedBy), Status: r.Status,
		EnforceParameterSchema: r.EnforceParameterSchema, FlowName: r.FlowName, WorkQueueName: r.WorkQueueName,
		WorkPoolID: r.WorkPoolID, WorkPoolName: r.WorkPoolName,
	}
}

func (t *tx) InsertDeployment(ctx context.Context, d *core.Deployment) error {
	if err := cmp.Or(core.MaxDeploymentName.Check(d.Name), core.MaxDeploymentTag.Check(d.Tags...)); err != nil {
		return err
	}
	return t.err(t.q.InsertDeployment(ctx, row.InsertDeploymentParams{
		ID: d.ID, Created: d.Created, Updated: d.Updated, Name: d.Name, Version: d.Version, Description: d.Description,
		FlowID: d.FlowID, Paused: d.Paused, ConcurrencyLimitID: d.ConcurrencyLimitID,
		ConcurrencyOptions: jsonPtr(d.ConcurrencyOptions), JobVariables: d.JobVariables.OrObject(),
		Parameters: d.Parameters.OrObject(), Tags: d.Tags, Labels: d.Labels.OrObject(), WorkQueueID: d.WorkQueueID,
		LastPolled: d.LastPolled, ParameterOpenapiSchema: orNull(d.ParameterOpenAPISchema), Path: d.Path,
		PullSteps: orNull(d.PullSteps), Entrypoint: d.Entrypoint, StorageDocumentID: d.StorageDocumentID,
		InfrastructureDocumentID: d.InfrastructureDocumentID, CreatedBy: jsonPtr(d.CreatedBy),
		UpdatedBy: jsonPtr(d.UpdatedBy), Status: d.Status, EnforceParameterSchema: d.EnforceParameterSchema,
	}), "Deployment")
}

func (t *tx) UpdateDeployment(ctx context.Context, d *core.Deployment) error {
	if err := cmp.Or(core.MaxDeploymentName.Check(d.Name), core.MaxDeploymentTag.Check(d.Tags...)); err != nil {
		return err
	}
	n, err := t.q.UpdateDeployment(ctx, row.UpdateDeploymentParams{
		Updated: d.Updated, Name: d.Name, Version: d.Version, Description: d.Description, FlowID: d.FlowID, Paused: d.Paused,
		ConcurrencyLimitID: d.ConcurrencyLimitID, ConcurrencyOptions: jsonPtr(d.ConcurrencyOptions),
		JobVariables: d.JobVariables.OrObject(), Parameters: d.Parameters.OrObject(), Tags: d.Tags,
		Labels: d.Labels.OrObject(), WorkQueueID: d.WorkQueueID, LastPolled: d.LastPolled,
		ParameterOpenapiSchema: orNull(d.ParameterOpenAPISchema), Path: d.Path, PullSteps: orNull(d.PullSteps),
		Entrypoint: d.Entrypoint, StorageDocumentID: d.StorageDocumentID,
		InfrastructureDocumentID: d.InfrastructureDocumentID, CreatedBy: jsonPtr(d.CreatedBy),
		UpdatedBy: jsonPtr(d.UpdatedBy), Status: d.Status, EnforceParameterSchema: d.EnforceParameterSchema, ID: d.ID,
	})
	return t.one(n, err, "Deployment")
}

func (t *tx) LockDeployment(ctx context.Context, id core.UUID) (*core.Deployment, error) {
	if _, err := t.q.LockDeployment(ctx, row.LockDeploymentParams{ID: id}); err != nil {
		return nil, t.err(err, "Deployment")
	}
	return t.Deployment(ctx, id)
}

func (t *tx) PolledDeployments(ctx context.Context, ids []core.UUID, now core.Time) error {
	for _, id := range ids {
		if err := t.q.PolledDeployment(ctx, row.PolledDeploymentParams{LastPolled: now, ID: id}); err != nil {
			return t.err(err, "Deployment")
		}
	}
	return nil
}

func (t *tx) DeleteDeployment(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteDeployment(ctx, row.DeleteDeploymentParams{ID: id})
	return t.one(n, err, "Deployment")
}
