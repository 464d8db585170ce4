package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) artifacts() group {
	return group{"/artifacts", []op{
		create(func(ctx context.Context, c core.ArtifactCreate) (*core.Artifact, error) {
			if err := a.Runs.OwnFlowRun(ctx, c.FlowRunID); err != nil {
				return nil, err
			}
			return a.Artifacts.CreateArtifact(ctx, c)
		}).runs(),
		update("Artifact", a.Artifacts.UpdateArtifact).ownArtifact(),
		read("Artifact", a.store.Artifact).runs(),
		remove("Artifact", a.Artifacts.DeleteArtifact),
		get("/{key}/latest", func(ctx context.Context, in *struct {
			Key string `path:"key"`
		}) (*core.Artifact, error) {
			c, err := a.store.ArtifactCollection(ctx, in.Key)
			if err != nil {
				return nil, named("Artifact", err)
			}
			// The id is the collection's, as the peer answers.
			return &core.Artifact{ID: c.ID, Created: c.Created, Updated: c.Updated, Key: &c.Key, Type: c.Type,
				Description: c.Description, Data: c.Data, Metadata: c.Metadata, FlowRunID: c.FlowRunID, TaskRunID: c.TaskRunID}, nil
		}).runs(),
		filter[artifactQuery]("/filter", core.ArtifactSorts, a.store.Artifacts).runs(),
		filter[artifactQuery]("/latest/filter", core.ArtifactSorts, a.store.ArtifactCollections).runs(),
		count[artifactQuery]("/count", a.store.CountArtifacts).runs(),
		count[artifactQuery]("/latest/count", a.store.CountArtifactCollections).runs(),
	}}
}

type artifactQuery struct {
	Artifacts   *core.ArtifactFilter   `json:"artifacts"`
	Flows       *core.FlowFilter       `json:"flows"`
	FlowRuns    *core.FlowRunFilter    `json:"flow_runs"`
	TaskRuns    *core.TaskRunFilter    `json:"task_runs"`
	Deployments *core.DeploymentFilter `json:"deployments"`
	pageQuery
}

func (q artifactQuery) filter() *core.ArtifactFilter {
	var f core.ArtifactFilter
	if q.Artifacts != nil {
		f = *q.Artifacts
	}
	f.Of = core.Filters{Flows: q.Flows, FlowRuns: q.FlowRuns, TaskRuns: q.TaskRuns, Deployments: q.Deployments}
	return &f
}
