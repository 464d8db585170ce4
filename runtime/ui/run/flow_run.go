package run

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

func (u *UI) flowRun(w http.ResponseWriter, r *http.Request) error {
	p, d, err := u.readFlowRun(w, r)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.FlowRunPage(p, d))
}

// readFlowRun reads the whole page of a run.
func (u *UI) readFlowRun(w http.ResponseWriter, r *http.Request) (views.Page, views.FlowRunView, error) {
	var d views.FlowRunView
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return views.Page{}, d, err
	}
	ctx := r.Context()
	if d.Run, err = u.Run(ctx, id); err != nil {
		return views.Page{}, d, err
	}
	p, err := u.Page(w, r, d.Run.Flow+" / "+d.Run.Name, "runs")
	if err != nil {
		return p, d, err
	}
	if err = u.readHead(ctx, &d); err != nil {
		return p, d, err
	}
	if d.Awaited, err = u.awaited(ctx, p, d.Run, r.URL.Query().Get("topic")); err != nil {
		return p, d, err
	}
	p.Refresh = d.Live && d.Awaited == nil // what is typed into a form must stay
	if d.Ask, err = u.ask(ctx, p, d.Run); err != nil {
		return p, d, err
	}
	if d.Timeline, err = u.readTimeline(ctx, p, d.Run, r.URL.Query()); err != nil {
		return p, d, err
	}
	q := r.URL.Query()
	if d.Log, err = u.readLog(ctx, "/flow-runs/"+id.String(), &core.LogFilter{FlowRunID: page.One(id)}, q); err != nil {
		return p, d, err
	}
	if d.Log.Live = d.Live; d.Live {
		d.Log.Stream = streamPath(d.Log, d.Run.StateID.String())
	}
	if d.Artifacts, err = u.artifactsOf(ctx, &core.ArtifactFilter{FlowRunID: page.One(id)}); err != nil {
		return p, d, err
	}
	if d.Streams, err = u.streamsOf(ctx, id); err != nil {
		return p, d, err
	}
	if d.Statuses, err = u.Store.FlowRunStatuses(ctx, id); err != nil {
		return p, d, err
	}
	d.Result, d.ResultErr = u.result(ctx, d.Run.State)
	if err = u.readGiven(ctx, &d); err != nil {
		return p, d, err
	}
	children, err := u.Store.FlowRunChildren(ctx, id)
	if err != nil {
		return p, d, err
	}
	d.SubflowN = len(children)
	d.Subflows, err = u.Named(ctx, children[:min(shownSubflows, len(children))])
	return p, d, err
}

const shownSubflows = 10

// readGiven reads what the run was not given and has by default, and what
// people answered it.
func (u *UI) readGiven(ctx context.Context, d *views.FlowRunView) error {
	inputs, err := u.Store.FlowRunInputs(ctx, d.Run.ID, "", nil, core.MaxLimit)
	if err != nil {
		return err
	}
	for _, in := range inputs {
		if strings.HasSuffix(in.Key, "-response") && json.Valid([]byte(in.Value)) {
			d.Answers = append(d.Answers, in)
		}
	}
	if d.Run.DeploymentID.IsZero() {
		return nil
	}
	dep, err := u.Store.Deployment(ctx, d.Run.DeploymentID)
	if err != nil {
		return page.IgnoreMissing(err)
	}
	given, defaults := d.Run.Parameters.Map(), map[string]any{}
	props, _ := dep.ParameterOpenAPISchema.Map()["properties"].(map[string]any)
	for name, p := range props {
		schema, _ := p.(map[string]any)
		if v, has := schema["default"]; has {
			if _, ok := given[name]; !ok {
				defaults[name] = v
			}
		}
	}
	if len(defaults) > 0 {
		d.Defaults = core.ToJSON(defaults)
	}
	return nil
}

// readFailed finds the last task run that failed of a run that did: its
// message alone does not name it.
func (u *UI) readFailed(ctx context.Context, d *views.FlowRunView) error {
	if d.Run.StateType != core.Failed && d.Run.StateType != core.Crashed {
		return nil
	}
	failed, err := u.Store.TaskRuns(ctx, core.Filters{
		TaskRuns: &core.TaskRunFilter{
			FlowRunID: page.One(d.Run.ID),
			State:     &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Failed, core.Crashed}}},
		},
	},
		core.Page{Limit: 1})
	if len(failed) > 0 {
		d.FailedIn = failed[0]
	}
	return err
}

// readHead reads what the head and the banner of a run show beside it.
func (u *UI) readHead(ctx context.Context, d *views.FlowRunView) (err error) {
	d.Live = !d.Run.Final()
	if err = u.readFailed(ctx, d); err != nil {
		return err
	}
	switch d.Run.StateType {
	case core.Scheduled, core.Pending, core.Cancelling, core.Running:
		if d.Why, err = u.Service.Why(ctx, d.Run.ID); err != nil {
			return err
		}
		if d.Why.Code == "running" {
			d.Why = nil
		}
	}
	if d.Run.ParentTaskRunID.IsZero() {
		return nil
	}
	t, err := u.Store.TaskRun(ctx, d.Run.ParentTaskRunID)
	if err != nil || t.FlowRunID.IsZero() {
		return page.IgnoreMissing(err)
	}
	parent, err := u.Run(ctx, t.FlowRunID)
	if err == nil {
		d.Parent = &parent
	}
	return page.IgnoreMissing(err)
}

// ask is the question of a paused run: its form from the JSON schema that the
// run stored. Nil if the run is not paused.
func (u *UI) ask(ctx context.Context, p views.Page, run views.Run) (*views.Ask, error) {
	if run.StateType != core.Paused || run.State == nil {
		return nil, nil
	}
	details := run.State.Details
	a := &views.Ask{Since: run.State.Timestamp, Timeout: details.PauseTimeout}
	key := func(part string) string {
		if k := details.RunInputKeyset[part]; k != "" {
			return k
		}
		return strings.ToLower(run.StateName) + "-" + core.Deref(details.PauseKey) + "-" + part
	}
	in, err := u.Store.FlowRunInput(ctx, run.ID, key("schema"))
	if err != nil {
		return a, page.IgnoreMissing(err)
	}
	s, err := form.Parse([]byte(in.Value))
	if err != nil {
		a.Problem = "The form that this run asked for cannot be read: " + err.Error()
		return a, nil //nolint:nilerr // the page shows it
	}
	a.HasSchema, a.Title, a.Description = true, s.Title, s.Description
	if a.Fields, err = form.Build([]byte(in.Value), nil, nil, p.Loc); err != nil {
		a.Problem = err.Error()
	}
	about, err := u.Store.FlowRunInput(ctx, run.ID, key("description"))
	if err == nil {
		a.Description = about.Value
		var text string
		if json.Unmarshal([]byte(about.Value), &text) == nil {
			a.Description = text // Python stores it as JSON
		}
	}
	return a, page.IgnoreMissing(err)
}

// result is what a state's data holds, read from the results if it lies there.
func (u *UI) result(ctx context.Context, s *core.State) (core.JSON, string) {
	if s == nil || s.Data.IsNull() || s.Type != core.Completed {
		return nil, ""
	}
	var data struct {
		Type  string          `json:"type"`
		Value json.RawMessage `json:"value"`
		Key   string          `json:"key"`
	}
	if json.Unmarshal(s.Data, &data) != nil || data.Type != "flowlite" {
		return s.Data, "" // another engine's: shown as it is
	}
	if data.Key == "" {
		if core.JSON(data.Value).IsNull() {
			return nil, ""
		}
		return core.JSON(data.Value), ""
	}
	b, size, err := u.Service.ResultUpTo(ctx, data.Key, maxResult)
	switch {
	case err != nil:
		return nil, "The result is kept as " + data.Key + ", but cannot be read: " + err.Error()
	case size > maxResult:
		return nil, "The result is too large to show here; it is kept as " + data.Key + "."
	case !json.Valid(b):
		return core.ToJSON(string(b)), ""
	}
	return b, ""
}

const maxResult = 256 << 10

func (u *UI) flowRunResult(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return err
	}
	d := views.FlowRunView{}
	if d.Run, err = u.Run(r.Context(), id); err != nil {
		return err
	}
	d.Result, d.ResultErr = u.result(r.Context(), d.Run.State)
	return u.Send(w, r, views.RunResult(d))
}

// part reads what each part of a run's page needs when it is fetched alone.
func (u *UI) part(w http.ResponseWriter, r *http.Request) (p views.Page, run views.Run, err error) {
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return p, run, err
	}
	if run, err = u.Run(r.Context(), id); err != nil {
		return p, run, err
	}
	p, err = u.Page(w, r, "", "runs")
	return p, run, err
}

func (u *UI) flowRunArtifacts(w http.ResponseWriter, r *http.Request) error {
	p, run, err := u.part(w, r)
	if err != nil {
		return err
	}
	d := views.FlowRunView{Run: run}
	if d.Artifacts, err = u.artifactsOf(r.Context(), &core.ArtifactFilter{FlowRunID: page.One(run.ID)}); err != nil {
		return err
	}
	return u.Send(w, r, views.Artifacts(p, d))
}

// flowRunStreams has the statuses, too: the page fetches both at once.
func (u *UI) flowRunStreams(w http.ResponseWriter, r *http.Request) error {
	p, run, err := u.part(w, r)
	if err != nil {
		return err
	}
	d := views.FlowRunView{Run: run}
	if d.Streams, err = u.streamsOf(r.Context(), run.ID); err != nil {
		return err
	}
	if d.Statuses, err = u.Store.FlowRunStatuses(r.Context(), run.ID); err != nil {
		return err
	}
	return u.Send(w, r, views.StreamsAndStatuses(p, d))
}

// shownStreams and shownEntries are how much of a run's streams its page shows.
const shownStreams, shownEntries = 20, 50

func (u *UI) streamsOf(ctx context.Context, id core.UUID) ([]views.StreamView, error) {
	list, err := u.Store.Streams(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []views.StreamView
	for _, s := range list[:min(len(list), shownStreams)] {
		v := views.StreamView{StreamInfo: s}
		if v.Last, err = u.Store.StreamEntries(ctx, id, s.Key, max(1, s.Entries-shownEntries+1), shownEntries); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// artifactsOf are those somebody made; the results that Prefect files as
// artifacts are left out.
func (u *UI) artifactsOf(ctx context.Context, f *core.ArtifactFilter) ([]*core.Artifact, error) {
	f.Type = &core.TextFilter{NotAny: []string{"result"}}
	as, err := u.Store.Artifacts(ctx, f, core.Page{Sort: "CREATED_DESC", Limit: 20})
	return as, err
}

// flowRunBanner is fetched when a run ends: the stream closes then, and a
// swap of its last message may be cut off.
func (u *UI) flowRunBanner(w http.ResponseWriter, r *http.Request) error {
	p, d, err := u.readFlowRun(w, r)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.RunBanner(p, d))
}
