package pool

import (
	"cmp"
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

func (u *UI) workPools(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Work pools", "pools")
	if err != nil {
		return err
	}
	if r.URL.Query().Has("create") && !page.HX(r) {
		return u.Send(w, r, views.NewPoolPage(p, poolFields(nil)))
	}
	pools, err := u.readPools(r.Context(), 0, true)
	if err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.WorkPoolsBody(p, pools))
	}
	return u.Send(w, r, views.WorkPoolsPage(p, pools))
}

func poolFields(typed url.Values) []form.Field {
	fields := []form.Field{
		{Name: "name", Title: "Name", Kind: form.String, Required: true, Desc: "Workers and deployments name the pool so."},
		{
			Name:     "type",
			Title:    "Type",
			Kind:     form.String,
			Required: true,
			Value:    "process",
			Desc:     "flowlite's own workers execute pools of type process: each run is a process on the worker's machine. A pool of another type, such as docker or kubernetes, needs a Prefect worker of that type.",
		},
		{Name: "description", Title: "Description", Kind: form.String},
		{Name: "limit", Title: "Runs at once", Kind: form.Integer, Min: "0", Desc: "No limit if left empty."},
	}
	return page.Fill("p-", fields, typed)
}

func (u *UI) createPool(w http.ResponseWriter, r *http.Request) error {
	fields := poolFields(r.PostForm)
	create := core.WorkPoolCreate{Name: page.Word(&fields[0]), Type: page.Word(&fields[1])}
	if s := fields[2].Value; s != "" {
		create.Description = &s
	}
	if create.Type == core.PoolProcess {
		create.BaseJobTemplate = core.ProcessTemplate
	}
	if create.Type == "" {
		fields[1].Error = "Write a type, such as process."
	}
	if s := page.Word(&fields[3]); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			fields[3].Error = "Must be a whole number, 0 or more."
		}
		create.ConcurrencyLimit = &n
	}
	if len(form.Errors(fields)) == 0 {
		pool, err := u.Service.CreateWorkPool(r.Context(), create)
		if err == nil {
			u.Flash(w, "Work pool "+pool.Name+" created. "+cmp.Or(pool.Executors(), "Start a worker for it."))
			return u.Redirect(w, r, "/work-pools/"+core.PathSegment(pool.Name))
		}
		switch core.CodeOf(err) {
		case core.EInvalid, core.EConflict, core.EForbidden, core.EBadRequest:
			fields[0].Error = err.Error()
		default:
			return err
		}
	}
	p, err := u.Page(w, r, "New work pool", "pools")
	if err != nil {
		return err
	}
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.NewPoolForm(fields))
	}
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.NewPoolPage(p, fields))
}

func (u *UI) workPool(w http.ResponseWriter, r *http.Request) error {
	rec, err := u.Store.WorkPoolByName(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	p, err := u.Page(w, r, rec.Name, "pools")
	if err != nil {
		return err
	}
	pool, err := u.readPool(r.Context(), rec, true)
	if err != nil {
		return err
	}
	if pool.Next, err = u.nextIn(r.Context(), pool); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.WorkPoolBody(p, pool))
	}
	return u.Send(w, r, views.WorkPoolPage(p, pool))
}

// nextShown is how many runs to come a pool's page lists.
const nextShown = 10

// nextIn are the pool's runs that are due or to come, the soonest first.
func (u *UI) nextIn(ctx context.Context, p views.Pool) ([]views.Run, error) {
	var all []*core.FlowRun
	for _, q := range p.Queues {
		runs, err := u.Store.DueFlowRuns(ctx, q.ID, core.Forever, nextShown)
		if err != nil {
			return nil, err
		}
		all = append(all, runs...)
	}
	slices.SortStableFunc(all, func(a, b *core.FlowRun) int {
		return cmp.Compare(a.NextScheduledStartTime, b.NextScheduledStartTime)
	})
	return u.Named(ctx, all[:min(len(all), nextShown)])
}

// Load lists at most limit pools with their load and workers.
func (u *UI) Load(ctx context.Context, limit int) ([]views.Pool, error) {
	return u.readPools(ctx, limit, false)
}

func (u *UI) readPools(ctx context.Context, limit int, whole bool) ([]views.Pool, error) {
	recs, err := u.Store.WorkPools(ctx, nil, core.Page{Limit: limit})
	if err != nil {
		return nil, err
	}
	var out []views.Pool
	for _, rec := range recs {
		p, err := u.readPool(ctx, rec, whole)
		if err != nil {
			return nil, err
		}
		if rec.Name == core.DefaultAgentPool && whole && len(p.Queues) == 0 {
			continue
		}
		out = append(out, p)
	}
	return out, nil
}

// readPool reads load and workers of a pool, and its queues if it is to be
// shown whole.
func (u *UI) readPool(ctx context.Context, rec *core.WorkPool, whole bool) (views.Pool, error) {
	p := views.Pool{WorkPool: rec}
	load, err := u.Store.PoolLoad(ctx, rec.ID)
	if err != nil {
		return p, err
	}
	for _, n := range load {
		p.Used += n
	}
	if p.Workers, err = u.Store.Workers(ctx, rec.ID, nil, core.Page{}); err != nil || !whole {
		return p, err
	}
	queues, err := u.Store.WorkQueues(ctx, rec.ID, nil, core.Page{})
	for _, q := range queues {
		p.Queues = append(p.Queues, views.Queue{WorkQueue: q, Used: load[q.ID]})
	}
	if err != nil {
		return p, err
	}
	p.Late, err = u.Store.CountFlowRuns(ctx, core.Filters{
		FlowRuns:  &core.FlowRunFilter{State: page.StateFilter(map[string]bool{"late": true})},
		WorkPools: &core.WorkPoolFilter{ID: &core.IDFilter{Any: []core.UUID{rec.ID}}},
	})
	return p, err
}

func (u *UI) togglePool(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	return u.Toggle(w, r, "Work pool "+name, "/work-pools/"+core.PathSegment(name), func(on bool) error {
		return u.Service.UpdateWorkPool(r.Context(), name, core.WorkPoolUpdate{IsPaused: core.Some(!on)})
	})
}

func (u *UI) toggleQueue(w http.ResponseWriter, r *http.Request) error {
	id, err := core.ParseUUID(r.PathValue("queue"))
	if err != nil {
		return core.NotFound("Work queue")
	}
	q, err := u.Store.WorkQueue(r.Context(), id)
	if err != nil {
		return err
	}
	return u.Toggle(w, r, "Queue "+q.Name, "/work-pools/"+core.PathSegment(r.PathValue("name")), func(on bool) error {
		return u.Service.UpdateWorkQueue(r.Context(), id, core.WorkQueueUpdate{IsPaused: core.Some(!on)})
	})
}
