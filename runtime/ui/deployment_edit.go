package ui

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// inParameters is what the names of the parameters' controls begin with.
const inParameters = "parameters."

func (u *UI) editDeployment(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.deploymentForm(w, r, nil, false)
	if err != nil {
		return err
	}
	return u.send(w, r, views.DeploymentFormPage(p, f))
}

func (u *UI) copyDeployment(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.deploymentForm(w, r, nil, true)
	if err != nil {
		return err
	}
	return u.send(w, r, views.DeploymentFormPage(p, f))
}

// deploymentForm is the form of what a person may change of a deployment, as
// it is stored and with what was typed over it.
func (u *UI) deploymentForm(w http.ResponseWriter, r *http.Request, typed url.Values, duplicate bool) (p views.Page, f views.DeploymentForm, err error) {
	p, d, err := u.deploymentPage(w, r, pickText(duplicate, "Duplicate ", "Edit "))
	if err != nil {
		return p, f, err
	}
	f.Deployment, f.Copy = d, duplicate
	limit := ""
	if l := d.GlobalConcurrencyLimit; l != nil {
		limit = strconv.FormatInt(l.Limit, 10)
	}
	strategy := "ENQUEUE"
	if o := d.ConcurrencyOptions; o != nil {
		strategy = o.CollisionStrategy
	}
	f.General = []form.Field{
		{Name: "description", Title: "Description", Kind: form.Text, Desc: "Markdown.", Value: core.Deref(d.Description)},
		{Name: "tags", Title: "Tags", Kind: form.String, Desc: "Separated by commas; each run gets them.", Value: strings.Join(d.Tags, ", ")},
	}
	if duplicate {
		f.General = append([]form.Field{{Name: "name", Title: "Name", Kind: form.String, Required: true, Value: d.Name + "-copy"}}, f.General...)
	}
	pools, err := u.poolNames(r.Context())
	if err != nil {
		return p, f, err
	}
	f.Place = []form.Field{
		{Name: "pool", Title: "Work pool", Kind: form.Enum, Enum: pools, Value: core.Deref(d.WorkPoolName)},
		{Name: "queue", Title: "Work queue", Kind: form.String, Desc: "Of that pool; default if empty. One that is not there is made.", Value: core.Deref(d.WorkQueueName)},
		{Name: "limit", Title: "Runs at once", Kind: form.Integer, Min: "1", Desc: "No limit if left empty.", Value: limit},
		{Name: "strategy", Title: "A run beyond the limit", Kind: form.Enum, Enum: []string{"ENQUEUE", "CANCEL_NEW"}, Required: true, Value: strategy, Desc: "waits (ENQUEUE), or is cancelled (CANCEL_NEW)."},
		{Name: "job_variables", Title: "Job variables", Kind: form.JSON, Shape: "object", Desc: "JSON; they override the pool's, such as {\"env\": {\"A\": \"1\"}}.", Value: pretty(d.JobVariables.OrObject())},
	}
	f.Limited = d.GlobalConcurrencyLimit != nil && d.GlobalConcurrencyLimit.Name != "deployment:"+d.ID.String()
	for _, part := range [][]form.Field{f.General, f.Place} {
		for i := range part {
			x := &part[i]
			x.Path, x.ID = x.Name, "d-"+x.Name
			if typed.Has(x.Name) {
				x.Value = strings.TrimSpace(typed.Get(x.Name))
			}
		}
	}
	f.Parameters, _ = form.Build(d.ParameterOpenAPISchema, d.Parameters, nil, p.Loc)
	for i := range f.Parameters { // a run may still give what has no default
		f.Parameters[i].Required = false
	}
	form.Prefix(f.Parameters, inParameters)
	return p, f, nil
}

func pickText(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func (u *UI) poolNames(ctx context.Context) ([]string, error) {
	pools, err := u.Store.WorkPools(ctx, nil, core.Page{})
	var names []string
	for _, p := range pools {
		names = append(names, p.Name)
	}
	return names, err
}

// readDeploymentForm reads the post into changes; what it refuses is written
// into the form.
func readDeploymentForm(p views.Page, f *views.DeploymentForm, q url.Values) (out core.DeploymentUpdate, ok bool) {
	at := func(list []form.Field, name string) *form.Field {
		return &list[slices.IndexFunc(list, func(x form.Field) bool { return x.Name == name })]
	}
	text := func(s string) core.Opt[string] {
		if s == "" {
			return core.Opt[string]{Set: true, Null: true}
		}
		return core.Some(s)
	}
	out.Description, out.Tags = text(at(f.General, "description").Value), core.Some(tagsOf(at(f.General, "tags").Value))
	pool, queue := at(f.Place, "pool").Value, at(f.Place, "queue").Value
	if pool != core.Deref(f.Deployment.WorkPoolName) || queue != core.Deref(f.Deployment.WorkQueueName) || f.Copy {
		out.WorkPoolName = text(pool)
		if out.WorkQueueName = text(queue); pool != core.Deref(f.Deployment.WorkPoolName) && queue == core.Deref(f.Deployment.WorkQueueName) {
			out.WorkQueueName = core.Opt[string]{} // the queue of the former pool is not meant
		}
	}
	limit := at(f.Place, "limit")
	switch n, err := strconv.ParseInt(limit.Value, 10, 64); {
	case f.Limited && !f.Copy: // a shared limit is changed where it is kept
	case limit.Value == "":
		out.ConcurrencyLimit = core.Opt[int64]{Set: true, Null: true}
	case err != nil || n < 1:
		limit.Error = "Must be a whole number, 1 or more."
	default:
		out.ConcurrencyLimit = core.Some(n)
	}
	if s := at(f.Place, "strategy").Value; s != "ENQUEUE" && s != "CANCEL_NEW" {
		at(f.Place, "strategy").Error = "Choose one of the listed values."
	} else if s != "ENQUEUE" || f.Deployment.ConcurrencyOptions != nil {
		out.ConcurrencyOptions = core.Some(core.ConcurrencyOptions{CollisionStrategy: s})
	}
	job := at(f.Place, "job_variables")
	if job.Value == "" {
		job.Value = "{}"
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(job.Value), &m); err != nil || m == nil {
		job.Error = "Write a JSON object: { … }."
	}
	out.JobVariables = core.Some(core.JSON(job.Value))
	params, good := form.Decode(f.Parameters, q, p.Loc)
	if len(f.Parameters) > 0 {
		out.Parameters = core.Some(keptDefaults(f.Deployment.Deployment, params))
	}
	return out, good && len(form.Errors(f.General)) == 0 && len(form.Errors(f.Place)) == 0
}

// keptDefaults leaves out what the schema says anyway, so that a change of the
// flow's own defaults still reaches the deployment.
func keptDefaults(d *core.Deployment, posted core.JSON) core.JSON {
	stored, m := d.Parameters.Map(), posted.Map()
	fields, _ := form.Build(d.ParameterOpenAPISchema, nil, nil, time.UTC)
	own, _ := form.Decode(fields, formOf(fields), time.UTC)
	for k, v := range own.Map() {
		if _, was := stored[k]; !was && reflect.DeepEqual(m[k], v) {
			delete(m, k)
		}
	}
	for k, v := range stored { // what the schema does not know stays
		if !slices.ContainsFunc(fields, func(f form.Field) bool { return f.Name == k }) {
			m[k] = v
		}
	}
	return core.ToJSON(m)
}

func (u *UI) saveDeployment(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	p, f, err := u.deploymentForm(w, r, r.PostForm, false)
	if err != nil {
		return err
	}
	change, ok := readDeploymentForm(p, &f, r.PostForm)
	if !ok {
		return u.deploymentFormAgain(w, r, p, f)
	}
	if err := u.Service.UpdateDeployment(r.Context(), f.Deployment.ID, change); err != nil {
		return u.deploymentRefused(w, r, p, f, err)
	}
	u.flash(w, "Saved "+f.Deployment.FullName()+".")
	return u.redirect(w, r, "/deployments/"+f.Deployment.ID.String())
}

// duplicateDeployment makes another deployment of the same flow, with what the
// form says and the schedules paused.
func (u *UI) duplicateDeployment(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	p, f, err := u.deploymentForm(w, r, r.PostForm, true)
	if err != nil {
		return err
	}
	c, ok := readDeploymentForm(p, &f, r.PostForm)
	ctx, d, name := r.Context(), f.Deployment.Deployment, &f.General[0]
	if _, err := u.Store.DeploymentByName(ctx, d.FlowName, name.Value); err == nil {
		name.Error, ok = d.FlowName+"/"+name.Value+" exists already.", false
	} else if !core.IsNotFound(err) {
		return err
	}
	if name.Value == "" {
		name.Error, ok = "Required.", false
	}
	if !ok {
		return u.deploymentFormAgain(w, r, p, f)
	}
	create := core.DeploymentCreate{
		Name: name.Value, FlowID: d.FlowID, Paused: core.Some(true), ConcurrencyLimit: c.ConcurrencyLimit, ConcurrencyOptions: c.ConcurrencyOptions,
		EnforceParameterSchema: core.Some(d.EnforceParameterSchema), ParameterOpenAPISchema: core.Some(d.ParameterOpenAPISchema), Parameters: c.Parameters,
		Tags: c.Tags, PullSteps: core.Some(d.PullSteps), WorkPoolName: c.WorkPoolName, WorkQueueName: c.WorkQueueName, Description: c.Description,
		JobVariables: c.JobVariables, Path: optional(d.Path), Version: optional(d.Version), Entrypoint: optional(d.Entrypoint),
	}
	if !d.StorageDocumentID.IsZero() {
		create.StorageDocumentID = core.Some(d.StorageDocumentID)
	}
	if !d.InfrastructureDocumentID.IsZero() {
		create.InfrastructureDocumentID = core.Some(d.InfrastructureDocumentID)
	}
	var schedules []core.ScheduleCreate
	for _, s := range d.Schedules {
		schedules = append(schedules, core.ScheduleCreate{Rule: s.Rule, Active: core.Some(s.Active), Parameters: s.Parameters, Slug: s.Slug})
	}
	create.Schedules = core.Some(schedules)
	made, err := u.Service.CreateDeployment(ctx, create)
	if err != nil {
		return u.deploymentRefused(w, r, p, f, err)
	}
	u.flash(w, "Made "+d.FlowName+"/"+made.Name+"; its schedules are paused.")
	return u.redirect(w, r, "/deployments/"+made.ID.String())
}

func optional(s *string) core.Opt[string] {
	if s == nil {
		return core.Opt[string]{}
	}
	return core.Some(*s)
}

func (u *UI) deleteDeployment(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Deployment")
	if err != nil {
		return err
	}
	d, err := u.Store.Deployment(r.Context(), id)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	if r.PostForm.Get("sure") != "1" {
		return u.redirect(w, r, "/deployments/"+id.String()+"/remove")
	}
	if err := u.Service.DeleteDeployment(r.Context(), id); err != nil {
		return err
	}
	u.flash(w, "Deleted "+d.FullName()+".")
	return u.redirect(w, r, "/deployments")
}

// removeDeployment asks before a deployment is deleted.
func (u *UI) removeDeployment(w http.ResponseWriter, r *http.Request) error {
	p, d, err := u.deploymentPage(w, r, "Delete ")
	if err != nil {
		return err
	}
	return u.send(w, r, views.DeploymentDeletePage(p, d))
}

// deploymentRefused writes the service's refusal beside the fields it is about.
func (u *UI) deploymentRefused(w http.ResponseWriter, r *http.Request, p views.Page, f views.DeploymentForm, err error) error {
	switch core.CodeOf(err) {
	case core.EInvalid, core.EConflict, core.EBadRequest, core.ENotFound, core.EForbidden:
	default:
		return err
	}
	f.Problem = err.Error()
	if e := asError(err); e != nil && len(e.Fields) > 0 {
		rest := form.Mark(f.Parameters, e.Fields)
		if rest = form.Mark(f.Place, rest); len(rest) == 0 {
			f.Problem = ""
		}
	}
	return u.deploymentFormAgain(w, r, p, f)
}

func (u *UI) deploymentFormAgain(w http.ResponseWriter, r *http.Request, p views.Page, f views.DeploymentForm) error {
	if hx(r) {
		return u.sendCode(w, r, http.StatusUnprocessableEntity, views.DeploymentFormC(f))
	}
	return u.sendCode(w, r, http.StatusUnprocessableEntity, views.DeploymentFormPage(p, f))
}
