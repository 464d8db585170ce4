package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// customRunOrAddress tells /deployments/{id}/run from /deployments/deployment/{id},
// which is Prefect's address of the deployment: no two patterns can.
func (u *UI) customRunOrAddress(w http.ResponseWriter, r *http.Request) error {
	switch {
	case r.PathValue("id") == "deployment":
		return u.redirect(w, r, "/deployments/"+url.PathEscape(r.PathValue("what")))
	case r.PathValue("what") == "run":
		return u.customRun(w, r)
	case r.PathValue("what") == "edit":
		return u.editDeployment(w, r)
	case r.PathValue("what") == "duplicate":
		return u.copyDeployment(w, r)
	case r.PathValue("what") == "remove":
		return u.removeDeployment(w, r)
	}
	return core.Errorf(core.ENotFound, "There is no page at this address.")
}

// customRun is the form of a deployment's parameters, filled with its
// defaults or with those of the run it is copied from.
func (u *UI) customRun(w http.ResponseWriter, r *http.Request) error {
	p, c, err := u.customRunPage(w, r)
	if err != nil {
		return err
	}
	return u.send(w, r, views.CustomRunPage(p, c))
}

func (u *UI) customRunPage(w http.ResponseWriter, r *http.Request) (views.Page, views.CustomRun, error) {
	p, d, err := u.deploymentPage(w, r, "Run ")
	c := views.CustomRun{Deployment: d, AsJSON: r.URL.Query().Get("input") == "json" || d.Error != ""}
	if err != nil {
		return p, c, err
	}
	ctx := r.Context()
	var values core.JSON
	c.JobVars = form.Field{Name: "job_variables", Path: "job_variables", ID: "job_variables", Title: "Job variables", TypeHint: "json", Kind: form.JSON,
		Desc: `Beside those of the deployment, such as {"env": {"A": "1"}}.`}
	if id, err := core.ParseUUID(r.URL.Query().Get("from")); err == nil {
		run, err := u.Store.FlowRun(ctx, id)
		if err != nil {
			return p, c, err
		}
		c.From, values = run.Name, run.Parameters
		c.Tags = strings.Join(run.Tags, ", ")
		if v := run.JobVariables.OrObject(); string(v) != "{}" {
			c.JobVars.Value = pretty(v)
		}
	}
	c.Fields, _ = form.Build(d.ParameterOpenAPISchema, d.Parameters, values, p.Loc)
	c.Raw = pretty(merged(d.Fields, d.Parameters, values))
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

// merged are the parameters as JSON: schema defaults, then the deployment's,
// then the copied ones.
func merged(fields []form.Field, defaults, values core.JSON) core.JSON {
	out := map[string]any{}
	if m, ok := form.Decode(fields, formOf(fields), time.UTC); ok {
		out = m.Map()
	}
	for _, j := range []core.JSON{defaults, values} {
		for k, v := range j.Map() {
			out[k] = v
		}
	}
	return core.ToJSON(out)
}

// formOf is what a form would post if it were sent untouched.
func formOf(fields []form.Field) url.Values {
	q := url.Values{}
	for _, f := range fields {
		switch {
		case f.Kind == form.Object:
			for k, v := range formOf(f.Fields) {
				q[k] = v
			}
		case f.IsNull:
			q.Set("null."+f.Path, "1")
		case f.Kind == form.List:
			q[f.Path] = f.Values
		default:
			q.Set(f.Path, f.Value)
		}
	}
	return q
}

// exact keeps numbers as they are written.
func exact(j core.JSON) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(j))
	d.UseNumber()
	return v, d.Decode(&v)
}

// shown tells which parameter the form cannot show as it is written; "" if none.
func shown(fields []form.Field, typed core.JSON, loc *time.Location) string {
	decoded, _ := form.Decode(fields, formOf(fields), loc)
	v, err := exact(typed)
	is, err2 := exact(decoded)
	want, ok := v.(map[string]any)
	have, ok2 := is.(map[string]any)
	if err != nil || err2 != nil || !ok || !ok2 {
		return "it"
	}
	for name, v := range want {
		if is, has := have[name]; !has && v != nil || !reflect.DeepEqual(is, v) {
			return fmt.Sprintf("%q", name)
		}
	}
	return ""
}

func (u *UI) startCustomRun(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
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
		switch e, bad := invalid(err); {
		case bad && len(e.Fields) > 0 && c.AsJSON:
			c.Problem, c.RawError = "", fieldErrors(e)
		case bad && len(e.Fields) > 0 && len(form.Mark(c.Fields, e.Fields)) == 0:
			c.Problem = ""
		}
		return u.customRunAgain(w, r, p, c)
	}
	if err != nil {
		return err
	}
	if create.State != nil {
		u.flash(w, "Planned "+run.Name+" of "+c.Deployment.FullName()+" for "+p.Full(run.ExpectedStartTime)+".")
	} else {
		u.flash(w, "Started "+run.Name+" of "+c.Deployment.FullName()+".")
	}
	return u.redirect(w, r, "/flow-runs/"+run.ID.String())
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
	switch {
	case !ok && c.AsJSON != asJSON:
		return u.customRunAgain(w, r, p, c)
	case asJSON && !c.AsJSON:
		c.Raw = pretty(typed)
	case !asJSON && c.AsJSON:
		d := c.Deployment
		for name := range typed.Map() {
			if !slices.ContainsFunc(c.Fields, func(f form.Field) bool { return f.Name == name }) {
				c.RawError = fmt.Sprintf("The form has no field %q.", name)
				return u.customRunAgain(w, r, p, c)
			}
		}
		fields, err := form.Build(d.ParameterOpenAPISchema, d.Parameters, typed, p.Loc)
		if name := shown(fields, typed, p.Loc); err != nil || name != "" {
			c.RawError = "The form cannot show " + name + " as it is written here."
			return u.customRunAgain(w, r, p, c)
		}
		c.Fields = fields
	}
	c.AsJSON = asJSON
	if hx(r) {
		return u.send(w, r, views.CustomRunForm(p, c))
	}
	return u.send(w, r, views.CustomRunPage(p, c))
}

func (u *UI) customRunAgain(w http.ResponseWriter, r *http.Request, p views.Page, c views.CustomRun) error {
	if hx(r) {
		return u.sendCode(w, r, http.StatusUnprocessableEntity, views.CustomRunForm(p, c))
	}
	return u.sendCode(w, r, http.StatusUnprocessableEntity, views.CustomRunPage(p, c))
}

// readCustomRun reads the post; what it refuses is written into the form.
func readCustomRun(p views.Page, c *views.CustomRun, q url.Values) (core.DeploymentFlowRunCreate, bool) {
	out := core.DeploymentFlowRunCreate{Name: strings.TrimSpace(q.Get("run_name"))}
	ok := true
	c.Name, c.Tags, c.Start = q.Get("run_name"), q.Get("tags"), q.Get("at")
	if c.AsJSON {
		c.Raw = q.Get("raw")
		out.Parameters = core.JSON(strings.TrimSpace(c.Raw))
		var m map[string]any
		if err := json.Unmarshal([]byte(c.Raw), &m); err != nil {
			c.RawError, ok = "Write a JSON object: "+err.Error(), false
		} else if m == nil {
			c.RawError, ok = "Write a JSON object: { … }.", false
		}
	} else {
		out.Parameters, ok = form.Decode(c.Fields, q, p.Loc)
		ok = !form.Cleared(c.Fields, q) && ok
	}
	out.Tags = tagsOf(c.Tags)
	if c.JobVars.Value = strings.TrimSpace(q.Get("job_variables")); c.JobVars.Value != "" {
		var m map[string]any
		if err := decodeStrict(c.JobVars.Value, &m); err != nil {
			c.JobVars.Error, ok = err.Error(), false
		}
		out.JobVariables = core.JSON(c.JobVars.Value)
	}
	if queue := q.Get("queue"); queue != "" && queue != core.Deref(c.Deployment.WorkQueueName) {
		c.Queue, out.WorkQueueName = queue, &queue
	}
	if c.Start != "" {
		at, err := parseLocal(c.Start, p.Loc)
		switch {
		case err != nil:
			c.StartError, ok = "Choose a date and time, or leave it empty to start at once.", false
		case core.At(at) <= p.Now:
			c.StartError, ok = "This time has passed. Leave it empty to start at once.", false
		default:
			out.State = &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.At(at)}}
		}
	}
	return out, ok
}

func parseLocal(s string, loc *time.Location) (t time.Time, err error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err = time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	return t, err
}
