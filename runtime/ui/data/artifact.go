package data

import (
	"context"
	"net/http"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

// artifacts lists the latest of each key, or each artifact.
func (u *UI) artifacts(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Artifacts", "artifacts")
	if err != nil {
		return err
	}
	ctx, q := r.Context(), r.URL.Query()
	d := views.ArtifactsView{Q: strings.TrimSpace(q.Get("q")), Type: q.Get("type"), All: q.Get("view") == "all"}
	f := &core.ArtifactFilter{Key: page.Like(d.Q)}
	if d.Type != "" {
		f.Type = &core.TextFilter{Any: []string{d.Type}}
	}
	var pg core.Page
	d.Paging, pg = page.Paged(r, "/artifacts", "page")
	if err := u.readArtifacts(ctx, f, pg, &d); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.ArtifactsBody(p, d))
	}
	return u.Send(w, r, views.ArtifactsPage(p, d))
}

func (u *UI) readArtifacts(ctx context.Context, f *core.ArtifactFilter, pg core.Page, d *views.ArtifactsView) (err error) {
	if d.All {
		pg.Sort = "CREATED_DESC"
		if d.Artifacts, err = u.Store.Artifacts(ctx, f, pg); err != nil {
			return err
		}
	} else {
		pg.Sort = "UPDATED_DESC"
		latest, err := u.Store.ArtifactCollections(ctx, f, pg)
		if err != nil {
			return err
		}
		for _, c := range latest {
			d.Artifacts = append(d.Artifacts, &core.Artifact{
				ID: c.LatestID, Created: c.Created, Updated: c.Updated, Key: &c.Key, Type: c.Type,
				Description: c.Description, Data: c.Data, FlowRunID: c.FlowRunID, TaskRunID: c.TaskRunID,
			})
		}
	}
	d.Artifacts = page.OnPage(&d.Paging, d.Artifacts)
	d.Runs, err = u.runsOf(ctx, d.Artifacts)
	return err
}

// runsOf are the runs that left the artifacts.
func (u *UI) runsOf(ctx context.Context, as []*core.Artifact) (map[core.UUID]views.Run, error) {
	var ids []core.UUID
	for _, a := range as {
		if !a.FlowRunID.IsZero() {
			ids = append(ids, a.FlowRunID)
		}
	}
	return u.runsByID(ctx, ids)
}

func (u *UI) runsByID(ctx context.Context, ids []core.UUID) (map[core.UUID]views.Run, error) {
	recs, err := u.Store.FlowRunsByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	runs, err := u.Named(ctx, recs)
	out := make(map[core.UUID]views.Run, len(runs))
	for _, x := range runs {
		out[x.ID] = x
	}
	return out, err
}

// artifact shows one, the others of its key, and with ?with= what differs.
func (u *UI) artifact(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Artifact")
	if err != nil {
		return err
	}
	ctx := r.Context()
	d := views.ArtifactView{}
	if d.Artifact, err = u.Store.Artifact(ctx, id); err != nil {
		return err
	}
	p, err := u.Page(w, r, views.ArtifactName(d.Artifact), "artifacts")
	if err != nil {
		return err
	}
	if !d.TaskRunID.IsZero() {
		if d.Task, err = u.Store.TaskRun(ctx, d.TaskRunID); page.IgnoreMissing(err) != nil {
			return err
		}
	}
	if key := core.Deref(d.Key); key != "" {
		f := &core.ArtifactFilter{Key: &core.TextFilter{Any: []string{key}}}
		var pg core.Page
		d.Paging, pg = page.Paged(r, "/artifacts/"+id.String(), "page")
		pg.Sort = "CREATED_DESC"
		if d.History, err = u.Store.Artifacts(ctx, f, pg); err != nil {
			return err
		}
		d.History = page.OnPage(&d.Paging, d.History)
	}
	if with := r.URL.Query().Get("with"); with != "" {
		if d.Other, err = u.otherArtifact(ctx, with); err != nil {
			return err
		}
	}
	if d.Runs, err = u.runsOf(ctx, append([]*core.Artifact{d.Artifact}, d.History...)); err != nil {
		return err
	}
	return u.Send(w, r, views.ArtifactPage(p, d))
}

func (u *UI) otherArtifact(ctx context.Context, text string) (*core.Artifact, error) {
	id, err := core.ParseUUID(text)
	if err != nil {
		return nil, core.NotFound("Artifact")
	}
	return u.Store.Artifact(ctx, id)
}

func (u *UI) deleteArtifact(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Artifact")
	if err != nil {
		return err
	}
	a, err := u.Store.Artifact(r.Context(), id)
	if err != nil {
		return err
	}
	if err := u.Artifacts.DeleteArtifact(r.Context(), id); err != nil {
		return err
	}
	u.Flash(w, "Artifact "+views.ArtifactName(a)+" deleted.")
	return u.Redirect(w, r, "/artifacts")
}
