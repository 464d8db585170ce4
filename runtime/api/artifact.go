package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) artifacts() group {
	return group{"/artifacts", []op{
		create(a.service.CreateArtifact),
		update("Artifact", a.service.UpdateArtifact),
		read("Artifact", a.store.Artifact),
		remove("Artifact", a.service.DeleteArtifact),
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
		}),
		filter[artifactQuery]("/filter", core.ArtifactSorts, a.store.Artifacts),
		filter[artifactQuery]("/latest/filter", core.ArtifactSorts, a.store.ArtifactCollections),
		count[artifactQuery]("/count", a.store.CountArtifacts),
		count[artifactQuery]("/latest/count", a.store.CountArtifactCollections),
	}}
}

type artifactQuery struct {
	Artifacts *core.ArtifactFilter `json:"artifacts"`
	pageQuery
}

func (q artifactQuery) filter() *core.ArtifactFilter { return q.Artifacts }
