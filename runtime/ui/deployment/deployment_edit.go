package deployment

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
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
	return u.Send(w, r, views.DeploymentFormPage(p, f))
}

func (u *UI) copyDeployment(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.deploymentForm(w, r, nil, true)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.DeploymentFormPage(p, f))
}

// deploymentForm is the form of what a person may change of a deployment, as
// it is stored and with what was typed over it.
func (u *UI) deploymentForm(
	w http.ResponseWriter,
	r *http.Request,
	typed url.Values,
	duplicate bool,
) (p views.Page, f views.DeploymentForm, err error) {
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
		{Name: "tags", Title: "Tags", Kind: form.String, Value: page.TagText(d.Tags),
			Desc: "Separated by commas, or a JSON list; each run gets them."},
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
		{
			Name:  "queue",
			Title: "Work queue",
			Kind:  form.String,
			Desc:  "Of that pool; default if empty. One that is not there is made.",
			Value: core.Deref(d.WorkQueueName),
		},
		{Name: "limit", Title: "Runs at once", Kind: form.Integer, Min: "1", Desc: "No limit if left empty.", Value: limit},
		{
			Name:     "strategy",
			Title:    "A run beyond the limit",
			Kind:     form.Enum,
			Enum:     []string{"ENQUEUE", "CANCEL_NEW"},
			Required: true,
			Value:    strategy,
			Desc:     "waits (ENQUEUE), or is cancelled (CANCEL_NEW).",
		},
		{
			Name:  "job_variables",
			Title: "Job variables",
			Kind:  form.JSON,
			Shape: "object",
			Desc:  "JSON; they override the pool's, such as {\"env\": {\"A\": \"1\"}}.",
			Value: page.Pretty(d.JobVariables.OrObject()),
		},
	}
	f.Limited = d.GlobalConcurrencyLimit != nil && d.GlobalConcurrencyLimit.Name != "deployment:"+d.ID.String()
	f.General, f.Place = page.Fill("d-", f.General, typed), page.Fill("d-", f.Place, typed)
	f.Parameters, _ = form.Build(d.ParameterOpenAPISchema, nil, d.Parameters, p.Loc)
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
	d := f.Deployment.Deployment
	if f.Copy { // which is all of it
		out = core.DeploymentUpdate{Description: optional(d.Description), Tags: core.Some(d.Tags), JobVariables: core.Some(d.JobVariables),
			Parameters: core.Some(d.Parameters)}
		if o := d.ConcurrencyOptions; o != nil {
			out.ConcurrencyOptions = core.Some(*o)
		}
	}
	if x := at(f.General, "description"); x.Touched {
		out.Description = page.OrNull(x, x.Value)
	}
	if x := at(f.General, "tags"); x.Touched {
		out.Tags = core.Some(page.TagsOf(x.Value))
	}
	pool, queue := at(f.Place, "pool"), at(f.Place, "queue")
	if pool.Touched || queue.Touched || f.Copy {
		pool.Touched = true // the two belong together
		out.WorkPoolName = page.OrNull(pool, page.Word(pool))
		if queue.Touched || f.Copy && page.Word(pool) == core.Deref(d.WorkPoolName) { // the queue of the former pool is not meant
			queue.Touched = true
			out.WorkQueueName = page.OrNull(queue, page.Word(queue))
		}
	}
	limit := at(f.Place, "limit")
	switch n, err := strconv.ParseInt(page.Word(limit), 10, 64); {
	case f.Limited && !f.Copy, !limit.Touched && !f.Copy: // a shared limit is changed where it is kept
	case page.Word(limit) == "":
		out.ConcurrencyLimit = core.Null[int64]()
	case err != nil || n < 1:
		limit.Error = "Must be a whole number, 1 or more."
	default:
		out.ConcurrencyLimit = core.Some(n)
	}
	if x := at(f.Place, "strategy"); x.Touched {
		out.ConcurrencyOptions = core.Some(core.ConcurrencyOptions{CollisionStrategy: x.Value})
		if x.Value != "ENQUEUE" && x.Value != "CANCEL_NEW" {
			x.Error = "Choose one of the listed values."
		}
	}
	if job := at(f.Place, "job_variables"); job.Touched {
		if page.Word(job) == "" {
			job.Value = "{}"
		}
		if err := page.ObjectOf(job.Value); err != nil {
			job.Error = err.Error()
		}
		out.JobVariables = core.Some(page.Written(job, nil))
	}
	params, good := form.Edit(d.Parameters, f.Parameters, q, p.Loc)
	if form.Touched(f.Parameters) {
		out.Parameters = core.Some(params)
	}
	return out, good && len(form.Errors(f.General)) == 0 && len(form.Errors(f.Place)) == 0
}

func (u *UI) saveDeployment(w http.ResponseWriter, r *http.Request) error {
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
	u.Flash(w, "Saved "+f.Deployment.FullName()+".")
	return u.Redirect(w, r, "/deployments/"+f.Deployment.ID.String())
}

// duplicateDeployment makes another deployment of the same flow, with what the
// form says and the schedules paused.
func (u *UI) duplicateDeployment(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.deploymentForm(w, r, r.PostForm, true)
	if err != nil {
		return err
	}
	c, ok := readDeploymentForm(p, &f, r.PostForm)
	ctx, d, name := r.Context(), f.Deployment.Deployment, &f.General[0]
	name.Value = page.Word(name)
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
		Name:               name.Value,
		FlowID:             d.FlowID,
		Paused:             core.Some(true),
		ConcurrencyLimit:   c.ConcurrencyLimit,
		ConcurrencyOptions: c.ConcurrencyOptions,
		EnforceParameterSchema: core.Some(
			d.EnforceParameterSchema,
		),
		ParameterOpenAPISchema: core.Some(d.ParameterOpenAPISchema),
		Parameters:             c.Parameters,
		Tags:                   c.Tags,
		PullSteps:              core.Some(d.PullSteps),
		WorkPoolName:           c.WorkPoolName,
		WorkQueueName:          c.WorkQueueName,
		Description:            c.Description,
		JobVariables:           c.JobVariables,
		Path:                   optional(d.Path),
		Version:                optional(d.Version),
		Entrypoint:             optional(d.Entrypoint),
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
	u.Flash(w, "Made "+d.FlowName+"/"+made.Name+"; its schedules are paused.")
	return u.Redirect(w, r, "/deployments/"+made.ID.String())
}

func optional(s *string) core.Opt[string] {
	if s == nil {
		return core.Opt[string]{}
	}
	return core.Some(*s)
}

func (u *UI) deleteDeployment(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Deployment")
	if err != nil {
		return err
	}
	d, err := u.Store.Deployment(r.Context(), id)
	if err != nil {
		return err
	}
	if r.PostForm.Get("sure") != "1" {
		return u.Redirect(w, r, "/deployments/"+id.String()+"/remove")
	}
	if err := u.Service.DeleteDeployment(r.Context(), id); err != nil {
		return err
	}
	u.Flash(w, "Deleted "+d.FullName()+".")
	return u.Redirect(w, r, "/deployments")
}

// removeDeployment asks before a deployment is deleted.
func (u *UI) removeDeployment(w http.ResponseWriter, r *http.Request) error {
	p, d, err := u.deploymentPage(w, r, "Delete ")
	if err != nil {
		return err
	}
	return u.Send(w, r, views.DeploymentDeletePage(p, d))
}

// deploymentRefused writes the service's refusal beside the fields it is about.
func (u *UI) deploymentRefused(w http.ResponseWriter, r *http.Request, p views.Page, f views.DeploymentForm, err error) error {
	switch core.CodeOf(err) {
	case core.EInvalid, core.EConflict, core.EBadRequest, core.ENotFound, core.EForbidden:
	default:
		return err
	}
	f.Problem = err.Error()
	if e := page.AsError(err); e != nil && len(e.Fields) > 0 {
		rest := form.Mark(f.Parameters, e.Fields)
		if rest = form.Mark(f.Place, rest); len(rest) == 0 {
			f.Problem = ""
		}
	}
	return u.deploymentFormAgain(w, r, p, f)
}

func (u *UI) deploymentFormAgain(w http.ResponseWriter, r *http.Request, p views.Page, f views.DeploymentForm) error {
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.DeploymentFormC(f))
	}
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.DeploymentFormPage(p, f))
}
