package deployment

import (
	"net/http"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

func (u *UI) deployments(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Deployments", "deployments")
	if err != nil {
		return err
	}
	ctx, f, q := r.Context(), core.Filters{}, r.URL.Query()
	v := views.DeploymentsView{Q: strings.TrimSpace(q.Get("q")), Tag: strings.TrimSpace(q.Get("tag")), Pool: q.Get("pool")}
	fd := &core.DeploymentFilter{}
	f.Deployments = fd
	if v.Q != "" {
		fd.FlowOrDeploymentName = page.Like(v.Q)
		if flow, name, ok := strings.Cut(v.Q, "/"); ok { // as they are written everywhere
			fd.FlowOrDeploymentName = nil
			fd.Name, f.Flows = page.Like(name), &core.FlowFilter{Name: page.Like(flow)}
		}
	}
	if v.Tag != "" {
		fd.Tags = &core.TagFilter{All: []string{v.Tag}}
	}
	if v.Pool != "" {
		f.WorkPools = &core.WorkPoolFilter{Name: &core.TextFilter{Any: []string{v.Pool}}}
	}
	if v.Total, err = u.Store.CountDeployments(ctx, f); err != nil {
		return err
	}
	v.Pager = pagerOf(r, "/deployments", v.Total)
	recs, err := u.Store.Deployments(ctx, f, core.Page{Sort: "FLOW_NAME_ASC", Limit: listed, Offset: (v.Pager.Page - 1) * listed})
	if err != nil {
		return err
	}
	v.Pager.N, v.Flows = len(recs), u.FlowsFolder()
	v.List = make([]views.DeploymentView, len(recs))
	of := make([]core.Filters, len(recs))
	for i, d := range recs {
		of[i] = runsOf(d)
	}
	last, err := u.strips(ctx, of)
	if err != nil {
		return err
	}
	for i, d := range recs {
		v.List[i] = withSchedules(p, d, 1)
		v.List[i].Last = last[i]
	}
	if page.HX(r) {
		return u.Send(w, r, views.DeploymentsBody(p, v))
	}
	if v.Pools, err = u.poolNames(ctx); err != nil {
		return err
	}
	return u.Send(w, r, views.DeploymentsPage(p, v))
}

func (u *UI) deployment(w http.ResponseWriter, r *http.Request) error {
	p, d, err := u.deploymentPage(w, r, "")
	if err != nil {
		return err
	}
	planned := core.Filters{
		FlowRuns: &core.FlowRunFilter{
			DeploymentID:      page.One(d.ID),
			State:             &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Scheduled}}},
			ExpectedStartTime: &core.TimeFilter{After: p.Now},
		},
	}
	runs, err := u.Store.FlowRuns(r.Context(), planned, core.Page{Sort: "EXPECTED_START_TIME_ASC", Limit: previewed})
	if err != nil {
		return err
	}
	if d.Planned, err = u.Named(r.Context(), runs); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.DeploymentBody(p, d))
	}
	return u.Send(w, r, views.DeploymentPage(p, d))
}

func (u *UI) deploymentPage(w http.ResponseWriter, r *http.Request, title string) (views.Page, views.DeploymentView, error) {
	id, err := page.PathID(r, "Deployment")
	if err != nil {
		return views.Page{}, views.DeploymentView{}, err
	}
	rec, err := u.Store.Deployment(r.Context(), id)
	if err != nil {
		return views.Page{}, views.DeploymentView{}, err
	}
	p, err := u.Page(w, r, title+rec.FullName(), "deployments")
	if err != nil {
		return p, views.DeploymentView{}, err
	}
	d := withSchedules(p, rec, previewed)
	if d.Fields, err = form.Build(rec.ParameterOpenAPISchema, rec.Parameters, nil, p.Loc); err != nil {
		d.Error = "Its parameter schema cannot be read: " + err.Error()
	}
	d.Last, err = u.lastRuns(r.Context(), runsOf(rec))
	return p, d, err
}

func runsOf(d *core.Deployment) core.Filters {
	return core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: page.One(d.ID)}}
}

// withSchedules reads the schedules, with so many next fire times.
func withSchedules(p views.Page, rec *core.Deployment, next int) (d views.DeploymentView) {
	d.Deployment = rec
	for _, s := range rec.Schedules {
		v := views.ScheduleView{Schedule: s}
		if rule, err := schedule.Parse(s.Rule); err != nil {
			v.Text = "unreadable: " + err.Error()
		} else {
			v.Text, v.Next = rule.Describe(), rule.Between(p.Now, 0, next)
		}
		d.Schedules = append(d.Schedules, v)
	}
	return d
}

// quickRun runs a deployment as it is; one that lacks a parameter leads to
// the form that asks for it.
func (u *UI) quickRun(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Deployment")
	if err != nil {
		return err
	}
	rec, err := u.Store.Deployment(r.Context(), id)
	if err != nil {
		return err
	}
	fields, err := form.Build(rec.ParameterOpenAPISchema, rec.Parameters, nil, page.Zone(r))
	for _, f := range fields {
		if err == nil && f.Required {
			u.Flash(w, "A run needs a value for "+f.Name+", which has no default.")
			return u.Redirect(w, r, "/deployments/"+id.String()+"/run")
		}
	}
	run, err := u.Service.CreateDeploymentFlowRun(r.Context(), id, core.DeploymentFlowRunCreate{})
	if err != nil {
		return err
	}
	href := "/flow-runs/" + run.ID.String()
	return u.Reply(
		w,
		r,
		href,
		views.Toast{State: "scheduled", Text: "Started " + run.Name + " from " + rec.FullName() + ".", Href: href, Link: "Open run"},
	)
}

func (u *UI) toggleDeployment(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Deployment")
	if err != nil {
		return err
	}
	rec, err := u.Store.Deployment(r.Context(), id)
	if err != nil {
		return err
	}
	return u.Toggle(w, r, "Schedules of "+rec.FullName(), "/deployments/"+id.String(), func(on bool) error {
		if on {
			return u.Service.ResumeDeployment(r.Context(), id)
		}
		return u.Service.PauseDeployment(r.Context(), id)
	})
}

func (u *UI) toggleSchedule(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Deployment")
	if err != nil {
		return err
	}
	sid, err := core.ParseUUID(r.PathValue("schedule"))
	if err != nil {
		return core.NotFound("Schedule")
	}
	s, err := u.Store.Schedule(r.Context(), sid)
	if err != nil {
		return err
	}
	label := "Schedule"
	if rule, err := schedule.Parse(s.Rule); err == nil {
		label += " " + rule.Describe()
	}
	return u.Toggle(w, r, label, "/deployments/"+id.String(), func(on bool) error {
		return u.Service.UpdateSchedule(r.Context(), id, sid, core.ScheduleUpdate{Active: core.Some(on)})
	})
}
