package db

import (
	"cmp"
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func artifactOf(r *row.Artifact) *core.Artifact {
	return &core.Artifact{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Key: r.Key, Type: r.Type, Description: r.Description, Data: r.Data,
		Metadata: r.Metadata, FlowRunID: r.FlowRunID, TaskRunID: r.TaskRunID,
		Call: r.Call, Attempt: r.Attempt, Updates: r.Updates,
	}
}

func collectionOf(r *row.ArtifactCollection) *core.ArtifactCollection {
	return &core.ArtifactCollection{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Key: r.Key, LatestID: r.LatestID, Type: r.Type,
		Description: r.Description, Data: r.Data, Metadata: r.Metadata, FlowRunID: r.FlowRunID, TaskRunID: r.TaskRunID,
	}
}

func (r *reader) Artifact(ctx context.Context, id core.UUID) (*core.Artifact, error) {
	x, err := r.q.GetArtifact(ctx, row.GetArtifactParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Artifact")
	}
	return artifactOf(&x), nil
}

func (r *reader) ArtifactOfCall(ctx context.Context, flowRunID core.UUID, call string) (*core.Artifact, error) {
	x, err := r.q.GetArtifactOfCall(ctx, row.GetArtifactOfCallParams{FlowRunID: flowRunID, Call: &call})
	if err != nil {
		return nil, r.err(err, "Artifact")
	}
	return artifactOf(&x), nil
}

func (r *reader) ArtifactCollection(ctx context.Context, key string) (*core.ArtifactCollection, error) {
	x, err := r.q.GetArtifactCollection(ctx, row.GetArtifactCollectionParams{Key: key})
	if err != nil {
		return nil, r.err(err, "Artifact")
	}
	return collectionOf(&x), nil
}

// idsWithin is ids for a page of artifacts. It returns EInvalid if their data is
// larger than most bytes, before any of it is read; one artifact is never too large.
func (r *reader) idsWithin(ctx context.Context, q queries.Query, table string, most int64) (ids []core.UUID, err error) {
	if most == 0 {
		return r.ids(ctx, q)
	}
	var total int64
	err = r.dyn.rows(ctx, queries.Sized(r.d, q, table, "data"), func(scan func(...any) error) error {
		var id core.UUID
		var size int64
		if err := scan(&id, &size); err != nil {
			return err
		}
		ids, total = append(ids, id), total+size
		return nil
	})
	if err == nil && total > most && len(ids) > 1 {
		return nil, core.Errorf(
			core.EInvalid,
			"the %d artifacts of this page hold %d MB of data, and an answer holds up to %d MB; pass a smaller limit",
			len(ids),
			total>>20,
			most>>20,
		)
	}
	return ids, r.err(err, "row")
}

func (r *reader) Artifacts(ctx context.Context, f *core.ArtifactFilter, p core.Page) ([]*core.Artifact, error) {
	ids, err := r.idsWithin(ctx, queries.Artifacts(r.d, f, &p), "artifact", p.MaxBytes)
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.Artifact, error) {
		rows, err := r.q.ListArtifactsByIDs(ctx, row.ListArtifactsByIDsParams{Ids: ids})
		return rows, r.err(err, "Artifact")
	}, artifactOf, func(x *row.Artifact) core.UUID { return x.ID })
}

func (r *reader) CountArtifacts(ctx context.Context, f *core.ArtifactFilter) (int64, error) {
	return r.count(ctx, queries.Artifacts(r.d, f, nil))
}

func (r *reader) ArtifactCollections(ctx context.Context, f *core.ArtifactFilter, p core.Page) ([]*core.ArtifactCollection, error) {
	ids, err := r.idsWithin(ctx, queries.ArtifactCollections(r.d, f, &p), "artifact_collection", p.MaxBytes)
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.ArtifactCollection, error) {
		rows, err := r.q.ListArtifactCollectionsByIDs(ctx, row.ListArtifactCollectionsByIDsParams{Ids: ids})
		return rows, r.err(err, "Artifact")
	}, collectionOf, func(x *row.ArtifactCollection) core.UUID { return x.ID })
}

func (r *reader) CountArtifactCollections(ctx context.Context, f *core.ArtifactFilter) (int64, error) {
	return r.count(ctx, queries.ArtifactCollections(r.d, f, nil))
}

func (t *tx) InsertArtifact(ctx context.Context, x *core.Artifact) error {
	if err := cmp.Or(core.MaxArtifactKey.CheckPtr(x.Key), core.MaxArtifactCall.CheckPtr(x.Call)); err != nil {
		return err
	}
	err := t.q.InsertArtifact(ctx, row.InsertArtifactParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Key: x.Key, Type: x.Type, Description: x.Description,
		Data: orNull(x.Data), Metadata: orNull(x.Metadata), FlowRunID: x.FlowRunID, TaskRunID: x.TaskRunID,
		Call: x.Call, Attempt: x.Attempt, Updates: x.Updates,
	})
	if err != nil || x.Key == nil {
		return t.err(err, "Artifact")
	}
	return t.collect(ctx, core.NewID(), x)
}

// collect makes x the latest of its key. A collection keeps its id.
func (t *tx) collect(ctx context.Context, id core.UUID, x *core.Artifact) error {
	return t.err(t.q.PutArtifactCollection(ctx, row.PutArtifactCollectionParams{
		ID: id, Created: x.Created, Updated: x.Updated, Key: *x.Key, LatestID: x.ID, Type: x.Type,
		Description: x.Description, Data: orNull(x.Data), Metadata: orNull(x.Metadata), FlowRunID: x.FlowRunID,
		TaskRunID: x.TaskRunID,
	}), "Artifact")
}

func (t *tx) UpdateArtifact(ctx context.Context, x *core.Artifact) error {
	n, err := t.q.UpdateArtifact(ctx, row.UpdateArtifactParams{
		Data: orNull(x.Data), Description: x.Description, Metadata: orNull(x.Metadata), Updated: x.Updated, ID: x.ID,
		Attempt: x.Attempt, Updates: x.Updates,
	})
	if err := t.one(n, err, "Artifact"); err != nil {
		return err
	}
	_, err = t.q.UpdateArtifactCollection(ctx, row.UpdateArtifactCollectionParams{
		Data: orNull(x.Data), Description: x.Description, Metadata: orNull(x.Metadata), Updated: x.Updated, LatestID: x.ID,
	})
	return t.err(err, "Artifact")
}

// DeleteArtifact hands the key's collection to the artifact before it.
func (t *tx) DeleteArtifact(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteArtifact(ctx, row.DeleteArtifactParams{ID: id})
	if err := t.one(n, err, "Artifact"); err != nil {
		return err
	}
	c, err := t.q.GetArtifactCollectionOf(ctx, row.GetArtifactCollectionOfParams{LatestID: id})
	if err := t.err(err, "Artifact"); err != nil {
		if core.IsNotFound(err) {
			return nil
		}
		return err
	}
	latest, err := t.q.LatestArtifact(ctx, row.LatestArtifactParams{Key: &c.Key})
	switch err := t.err(err, "Artifact"); {
	case core.IsNotFound(err):
		_, err := t.q.DeleteArtifactCollection(ctx, row.DeleteArtifactCollectionParams{ID: c.ID})
		return t.err(err, "Artifact")
	case err != nil:
		return err
	}
	return t.collect(ctx, c.ID, artifactOf(&latest))
}
