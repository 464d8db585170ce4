package pool

import (
	"net/http"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// queueAddress goes to the pool that has the queue.
func (u *UI) queueAddress(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Work queue")
	if err != nil {
		return err
	}
	q, err := u.Store.WorkQueue(r.Context(), id)
	if err != nil {
		return err
	}
	return u.Redirect(w, r, "/work-pools/"+core.PathSegment(core.Deref(q.WorkPoolName)))
}

// queuePage is the form of a queue of a pool; "new" has none yet.
func (u *UI) queuePage(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.openQueueForm(w, r)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.QueuePage(p, f))
}

func (u *UI) openQueueForm(w http.ResponseWriter, r *http.Request) (p views.Page, f views.QueueForm, err error) {
	ctx := r.Context()
	if f.Pool, err = u.Store.WorkPoolByName(ctx, r.PathValue("name")); err != nil {
		return p, f, err
	}
	q, title := &core.WorkQueue{}, "New queue"
	if which := r.PathValue("queue"); which != "new" {
		id, err := core.ParseUUID(which)
		if err != nil {
			return p, f, core.NotFound("Work queue")
		}
		if q, err = u.Store.WorkQueue(ctx, id); err != nil {
			return p, f, err
		}
		if q.WorkPoolID != f.Pool.ID {
			return p, f, core.NotFound("Work queue")
		}
		f.Queue, title = q, "Queue "+q.Name
	}
	if p, err = u.Page(w, r, title, "pools"); err != nil {
		return p, f, err
	}
	priority := ""
	if q.Priority > 0 {
		priority = strconv.FormatInt(q.Priority, 10)
	}
	f.Fields = page.Fill("q-", []form.Field{
		{Name: "name", Title: "Name", Kind: form.String, Required: true, Value: q.Name, Desc: "Deployments and workers name the queue so."},
		{Name: "description", Title: "Description", Kind: form.String, Value: core.Deref(q.Description)},
		{
			Name:  "concurrency_limit",
			Title: "Runs at once",
			Kind:  form.Integer,
			Min:   "0",
			Value: number(q.ConcurrencyLimit),
			Desc:  "No limit if left empty, but that of the pool.",
		},
		{
			Name:  "priority",
			Title: "Priority",
			Kind:  form.Integer,
			Min:   "1",
			Value: priority,
			Desc:  "1 is served first. A queue that has it already moves down, as do those behind it.",
		},
	}, r.PostForm)
	return p, f, nil
}

func (u *UI) saveQueue(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.openQueueForm(w, r)
	if err != nil {
		return err
	}
	name, description, limit, priority := &f.Fields[0], &f.Fields[1], limitOf(&f.Fields[2]), &f.Fields[3]
	if name.Touched {
		name.Value = page.Word(name)
	}
	if name.Value == "" {
		name.Error = "Required."
	}
	place := core.Opt[int64]{}
	if priority.Touched && page.Word(priority) != "" {
		n, err := strconv.ParseInt(page.Word(priority), 10, 64)
		if err != nil || n < 1 {
			priority.Error = "Must be a whole number, 1 or more."
		}
		place = core.Some(n)
	}
	if len(form.Errors(f.Fields)) == 0 {
		var err error
		if f.Queue == nil {
			_, err = u.Service.CreateWorkQueue(r.Context(), f.Pool.Name, core.WorkQueueCreate{
				Name: name.Value, Description: &description.Value, ConcurrencyLimit: limit.Ptr(), Priority: place.Ptr()})
		} else {
			err = u.Service.UpdateWorkQueue(r.Context(), f.Queue.ID, core.WorkQueueUpdate{
				Name: page.Changed(
					name,
					name.Value,
				),
				Description:      page.Changed(description, description.Value),
				ConcurrencyLimit: limit,
				Priority:         place,
			})
		}
		if err == nil {
			u.Flash(w, "Queue "+name.Value+" of "+f.Pool.Name+" saved.")
			return u.Redirect(w, r, poolPath(f.Pool.Name))
		}
		switch e, bad := page.Invalid(err); {
		case bad && len(form.Mark(f.Fields, e.Fields)) == 0 && len(e.Fields) > 0:
		case bad || core.CodeOf(err) == core.EConflict || core.CodeOf(err) == core.EBadRequest || core.CodeOf(err) == core.EForbidden:
			name.Error = err.Error()
		default:
			return err
		}
	}
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.QueueFormC(f))
	}
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.QueuePage(p, f))
}

func (u *UI) deleteQueue(w http.ResponseWriter, r *http.Request) error {
	_, f, err := u.openQueueForm(w, r)
	if err != nil {
		return err
	}
	if f.Queue == nil {
		return core.NotFound("Work queue")
	}
	if err := u.Service.DeleteWorkQueue(r.Context(), f.Queue.ID); err != nil {
		return err
	}
	u.Flash(w, "Queue "+f.Queue.Name+" deleted.")
	return u.Redirect(w, r, poolPath(f.Pool.Name))
}
