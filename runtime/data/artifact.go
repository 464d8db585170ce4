package data

import (
	"bytes"
	"context"
	"regexp"
	"strconv"

	"github.com/flowlite/flowlite/runtime/block"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

var artifactKey = regexp.MustCompile(`^[a-z0-9-]+$`)

// CreateArtifact also makes it the latest of its key. Secrets of blocks are masked.
// A call of a run's code that created an artifact before gets that one.
func (s *Artifacts) CreateArtifact(ctx context.Context, c core.ArtifactCreate) (*core.Artifact, error) {
	if c.Key = core.Given(c.Key); c.Key != nil && !artifactKey.MatchString(*c.Key) {
		return nil, core.InvalidField(
			"key",
			"Artifact key must only contain lowercase letters, numbers, and dashes; it is "+strconv.Quote(core.CutText(*c.Key, 80)),
		)
	}
	mask := s.masker.Masker(ctx)
	var a *core.Artifact
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		now := s.now()
		a = &core.Artifact{
			ID: c.ID, Created: now, Updated: now, Key: c.Key, Type: c.Type, Description: block.MaskText(c.Description, mask),
			Data: core.MaskJSON(c.Data, mask), Metadata: core.MaskJSON(c.Metadata, mask), FlowRunID: c.FlowRunID, TaskRunID: c.TaskRunID,
			Call: core.Given(c.Call), Attempt: c.Attempt,
		}
		if a.ID.IsZero() {
			a.ID = core.NewID()
		}
		if a.FlowRunID.IsZero() && !a.TaskRunID.IsZero() {
			if t, err := tx.TaskRun(ctx, a.TaskRunID); err == nil {
				a.FlowRunID = t.FlowRunID
			}
		}
		if a.Call == nil || a.FlowRunID.IsZero() {
			out.Run(a.FlowRunID)
			return tx.InsertArtifact(ctx, a)
		}
		// Of two processes of a run that hold themselves for the right one, the second waits.
		if _, err := tx.LockFlowRun(ctx, a.FlowRunID); err != nil {
			return err
		}
		was, err := tx.ArtifactOfCall(ctx, a.FlowRunID, *a.Call)
		if core.IsNotFound(err) {
			out.Run(a.FlowRunID)
			return tx.InsertArtifact(ctx, a)
		}
		if err != nil || was.Attempt == a.Attempt || was.Updates == 0 && sameContent(was, a) {
			a = was
			return err
		}
		was.Data, was.Description, was.Metadata = a.Data, a.Description, a.Metadata
		was.Attempt, was.Updates, was.Updated = a.Attempt, 0, now
		a = was
		out.Run(a.FlowRunID)
		return tx.UpdateArtifact(ctx, a)
	})
	return a, err
}

func sameContent(a, b *core.Artifact) bool {
	return bytes.Equal(a.Data, b.Data) && bytes.Equal(a.Metadata, b.Metadata) && core.Deref(a.Description) == core.Deref(b.Description)
}

// UpdateArtifact returns ENotFound if there is no such artifact.
func (s *Artifacts) UpdateArtifact(ctx context.Context, id core.UUID, u core.ArtifactUpdate) error {
	mask := s.masker.Masker(ctx)
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		a, err := tx.Artifact(ctx, id)
		if err != nil {
			return err
		}
		if u.Updates > 0 {
			if a.Attempt == u.Attempt && u.Updates <= a.Updates {
				return nil
			}
			a.Attempt, a.Updates = u.Attempt, u.Updates
		}
		if u.Data.Set {
			a.Data = core.MaskJSON(u.Data.Or(nil), mask)
		}
		if u.Description.Set {
			a.Description = block.MaskText(u.Description.Ptr(), mask)
		}
		if u.Metadata.Set {
			a.Metadata = core.MaskJSON(u.Metadata.Or(nil), mask)
		}
		a.Updated = s.now()
		out.Run(a.FlowRunID)
		return tx.UpdateArtifact(ctx, a)
	})
}

// DeleteArtifact returns ENotFound if there is no such artifact.
func (s *Artifacts) DeleteArtifact(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if _, err := tx.Artifact(ctx, id); err != nil {
			return err
		}
		return tx.DeleteArtifact(ctx, id)
	})
}
