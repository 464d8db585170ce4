package deployment

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// customRunOrAddress tells /deployments/{id}/run from /deployments/deployment/{id},
// which is Prefect's address of the deployment: no two patterns can.
func (u *UI) customRunOrAddress(w http.ResponseWriter, r *http.Request) error {
	switch {
	case r.PathValue("id") == "deployment":
		return u.Redirect(w, r, "/deployments/"+core.PathSegment(r.PathValue("what")))
	case r.PathValue("what") == "run":
		return u.customRun(w, r)
	case r.PathValue("what") == "edit":
		return u.editDeployment(w, r)
	case r.PathValue("what") == "duplicate":
		return u.copyDeployment(w, r)
	case r.PathValue("what") == "remove":
		return u.removeDeployment(w, r)
	}
	return page.NoPage()
}

// customRun is the form of a deployment's parameters, filled with its
// defaults or with those of the run it is copied from.
func (u *UI) customRun(w http.ResponseWriter, r *http.Request) error {
	p, c, err := u.customRunPage(w, r)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.CustomRunPage(p, c))
}

func (u *UI) customRunPage(w http.ResponseWriter, r *http.Request) (views.Page, views.CustomRun, error) {
	p, d, err := u.deploymentPage(w, r, "Run ")
	c := views.CustomRun{Deployment: d, AsJSON: r.URL.Query().Get("input") == "json" || d.Error != ""}
	if err != nil {
		return p, c, err
	}
	ctx := r.Context()
	c.JobVars = form.Field{Name: "job_variables", Title: "Job variables", TypeHint: "json", Kind: form.JSON,
		Desc: `Beside those of the deployment, such as {"env": {"A": "1"}}.`}
	if id, err := core.ParseUUID(r.URL.Query().Get("from")); err == nil {
		run, err := u.Store.FlowRun(ctx, id)
		if err != nil {
			return p, c, err
		}
		c.From, c.FromID, c.Values, c.FromVars = run.Name, id.String(), run.Parameters, run.JobVariables.OrObject()
		c.Tags = page.TagText(run.Tags)
		if run.Priority != 0 {
			c.Priority = strconv.FormatInt(run.Priority, 10)
		}
		if string(c.FromVars) != "{}" {
			c.JobVars.Value = page.Pretty(c.FromVars)
		}
	}
	if base := core.JSON(r.PostForm.Get("base")); json.Valid(base) {
		c.Values, c.Base = base, true
	}
	u.parameterFields(p, &c)
	c.Queue = core.Deref(d.WorkQueueName)
	if d.WorkPoolID.IsZero() {
		return p, c, nil
	}
	queues, err := u.Store.WorkQueues(ctx, d.WorkPoolID, nil, core.Page{})
	for _, q := range queues {
		c.Queues = append(c.Queues, q.Name)
	}
	return p, c, err
}

// parameterFields shows the values in both shapes of the form.
func (u *UI) parameterFields(p views.Page, c *views.CustomRun) {
	d := c.Deployment
	c.Fields, _ = form.Build(d.ParameterOpenAPISchema, d.Parameters, c.Values, p.Loc)
	form.Prefix(c.Fields, inParameters)
	c.Whole = c.Values
	if !c.Base {
		c.Whole = merged(d.Fields, d.Parameters, c.Values)
	}
	c.Raw = form.Field{Name: "raw", Path: "raw", ID: "raw", Kind: form.JSON, Value: page.Pretty(c.Whole)}
}

// merged are the parameters as JSON: schema defaults, then the deployment's,
// then the copied ones.
func merged(fields []form.Field, defaults, values core.JSON) core.JSON {
	all, _ := form.Decode(nil, fields, nil, time.UTC)
	out, _ := all.Object()
	first, _ := defaults.Object()
	given, _ := values.Object()
	out.Overlay(first)
	if out.Overlay(given); len(out) == len(given) {
		return values.OrObject() // nothing is added
	}
	return out.JSON()
}

func (u *UI) startCustomRun(w http.ResponseWriter, r *http.Request) error {
	p, c, err := u.customRunPage(w, r)
	if err != nil {
		return err
	}
	create, ok := readCustomRun(p, &c, r.PostForm)
	if to := r.PostForm.Get("to"); to != "" {
		return u.customRunAs(w, r, p, c, create.Parameters, ok, to == "json")
	}
	if !ok {
		return u.customRunAgain(w, r, p, c)
	}
	run, err := u.Service.CreateDeploymentFlowRun(r.Context(), c.Deployment.ID, create)
	if code := core.CodeOf(err); code == core.EInvalid || code == core.EConflict || code == core.EBadRequest {
		c.Problem = err.Error()
		switch e, bad := page.Invalid(err); {
		case bad && len(e.Fields) > 0 && c.AsJSON:
			c.Problem, c.Raw.Error = "", fieldErrors(e)
		case bad && len(e.Fields) > 0 && len(form.Mark(c.Fields, e.Fields)) == 0:
			c.Problem = ""
		}
		return u.customRunAgain(w, r, p, c)
	}
	if err != nil {
		return err
	}
	if create.State != nil {
		u.Flash(w, "Planned "+run.Name+" of "+c.Deployment.FullName()+" for "+p.Full(run.ExpectedStartTime)+".")
	} else {
		u.Flash(w, "Started "+run.Name+" of "+c.Deployment.FullName()+".")
	}
	return u.Redirect(w, r, "/flow-runs/"+run.ID.String())
}

// fieldErrors are the places and faults of parameters in one text.
func fieldErrors(e *core.Error) string {
	var all []string
	for _, f := range e.Fields {
		var at []string
		for _, l := range f.Loc {
			if s := fmt.Sprint(l); s != "body" && s != "parameters" {
				at = append(at, s)
			}
		}
		all = append(all, strings.Join(at, ".")+": "+f.Msg)
	}
	return strings.Join(all, "; ")
}

// customRunAs is the form in its other shape with all that was typed; what
// cannot be taken over is said, and the shape stays.
func (u *UI) customRunAs(w http.ResponseWriter, r *http.Request, p views.Page, c views.CustomRun, typed core.JSON, ok, asJSON bool) error {
	if c.AsJSON != asJSON {
		if !ok {
			return u.customRunAgain(w, r, p, c)
		}
		if members, _ := typed.Object(); !asJSON {
			for _, m := range members {
				if !slices.ContainsFunc(c.Fields, func(f form.Field) bool { return f.Name == m.Key }) {
					c.Raw.Error = fmt.Sprintf("The form has no field %q.", m.Key)
					return u.customRunAgain(w, r, p, c)
				}
			}
		}
		c.Values, c.Base = typed, true
		u.parameterFields(p, &c)
	}
	c.AsJSON = asJSON
	if page.HX(r) {
		return u.Send(w, r, views.CustomRunForm(p, c))
	}
	return u.Send(w, r, views.CustomRunPage(p, c))
}

func (u *UI) customRunAgain(w http.ResponseWriter, r *http.Request, p views.Page, c views.CustomRun) error {
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.CustomRunForm(p, c))
	}
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.CustomRunPage(p, c))
}

// readCustomRun reads the post; what it refuses is written into the form.
func readCustomRun(p views.Page, c *views.CustomRun, q url.Values) (core.DeploymentFlowRunCreate, bool) {
	out := core.DeploymentFlowRunCreate{Name: strings.TrimSpace(q.Get("run_name"))}
	var ok bool
	c.Name, c.Tags, c.Start, c.Priority = q.Get("run_name"), q.Get("tags"), q.Get("at"), q.Get("priority")
	if c.AsJSON {
		raw := []form.Field{c.Raw}
		form.Post(raw, q)
		form.Changed(raw)
		c.Raw = raw[0]
		if err := page.ObjectOf(c.Raw.Value); err != nil {
			c.Raw.Error = err.Error()
		}
		out.Parameters, ok = page.Written(&c.Raw, c.Whole), c.Raw.Error == ""
	} else {
		out.Parameters, ok = form.Decode(c.Values, c.Fields, q, p.Loc)
		ok = !form.Changed(c.Fields) && ok
	}
	out.Tags = page.TagsOf(c.Tags)
	vars := page.Fill("", []form.Field{c.JobVars}, q)
	if c.JobVars = vars[0]; page.Word(&c.JobVars) != "" {
		if err := page.ObjectOf(c.JobVars.Value); err != nil {
			c.JobVars.Error, ok = err.Error(), false
		}
		out.JobVariables = page.Written(&c.JobVars, c.FromVars)
	}
	if queue := q.Get("queue"); queue != "" && queue != core.Deref(c.Deployment.WorkQueueName) {
		c.Queue, out.WorkQueueName = queue, &queue
	}
	if n, err := page.Priority(c.Priority); err != nil {
		c.PriorityError, ok = err.Error(), false
	} else {
		out.Priority = n
	}
	if c.Start != "" {
		at, err := page.ParseLocal(c.Start, p.Loc)
		switch {
		case err != nil:
			c.StartError, ok = "Choose a date and time, or leave it empty to start at once.", false
		case core.TimeFrom(at) <= p.Now:
			c.StartError, ok = "This time has passed. Leave it empty to start at once.", false
		default:
			out.State = &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.TimeFrom(at)}}
		}
	}
	return out, ok
}
