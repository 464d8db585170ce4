package data

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

const (
	fewHolders = 3 // of a limit in the list
	allHolders = core.MaxLimit
)

// limits lists global limits and those of tags, with who holds them.
func (u *UI) limits(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Concurrency", "concurrency")
	if err != nil {
		return err
	}
	var d views.LimitsView
	if d.Global, d.GlobalPaging, err = u.listLimits(r, false, "page"); err != nil {
		return err
	}
	if d.Tags, d.TagPaging, err = u.listLimits(r, true, "tags"); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.LimitsBody(p, d))
	}
	return u.Send(w, r, views.LimitsPage(p, d))
}

func (u *UI) listLimits(r *http.Request, ofTags bool, key string) ([]views.Limit, views.Paging, error) {
	paging, pg := page.Paged(r, "/concurrency", key)
	recs, err := u.Store.GlobalLimits(r.Context(), ofTags, pg)
	if err != nil {
		return nil, paging, err
	}
	recs = page.OnPage(&paging, recs)
	out := make([]views.Limit, len(recs))
	for i, rec := range recs {
		if out[i], err = u.readLimit(r.Context(), rec, fewHolders); err != nil {
			return nil, paging, err
		}
	}
	return out, paging, nil
}

func (u *UI) readLimit(ctx context.Context, rec *core.GlobalConcurrencyLimit, most int) (l views.Limit, err error) {
	l.GlobalConcurrencyLimit = rec
	if l.Used, err = u.Limits.ActiveSlots(ctx, rec); err != nil || l.Used == 0 {
		return l, err
	}
	held, err := u.Limits.Holders(ctx, rec.ID, most+1)
	if err != nil {
		return l, err
	}
	l.More = len(held) > most
	held = held[:min(len(held), most)]
	runs, tasks, err := u.holdersByID(ctx, held)
	if err != nil {
		return l, err
	}
	for _, h := range held {
		v := views.Holder{SlotHolder: h}
		if h.Type == "task_run" {
			v.Task = tasks[h.ID]
			if v.Task != nil {
				v.Run = runs[v.Task.FlowRunID]
			}
		} else {
			v.Run = runs[h.ID]
		}
		l.Holders = append(l.Holders, v)
	}
	return l, nil
}

// holdersByID reads the runs behind holders; those that are gone are left out.
func (u *UI) holdersByID(ctx context.Context, held []core.SlotHolder) (map[core.UUID]views.Run, map[core.UUID]*core.TaskRun, error) {
	var runIDs, taskIDs []core.UUID
	for _, h := range held {
		switch {
		case h.ID.IsZero():
		case h.Type == "task_run":
			taskIDs = append(taskIDs, h.ID)
		default:
			runIDs = append(runIDs, h.ID)
		}
	}
	tasks := map[core.UUID]*core.TaskRun{}
	if len(taskIDs) > 0 {
		list, err := u.Store.TaskRuns(ctx, core.Filters{TaskRuns: &core.TaskRunFilter{ID: &core.IDFilter{Any: taskIDs}}}, core.Page{})
		if err != nil {
			return nil, nil, err
		}
		for _, t := range list {
			tasks[t.ID] = t
			runIDs = append(runIDs, t.FlowRunID)
		}
	}
	runs, err := u.runsByID(ctx, runIDs)
	return runs, tasks, err
}

// limit shows one limit with all its holders and the form that changes it;
// "new" is the form alone.
func (u *UI) limit(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.limitForm(w, r, nil)
	if err != nil {
		return err
	}
	if page.HX(r) && f.Limit.GlobalConcurrencyLimit != nil {
		return u.Send(w, r, views.LimitHolders(p, f.Limit))
	}
	return u.Send(w, r, views.LimitPage(p, f))
}

func (u *UI) limitByID(r *http.Request) (*core.GlobalConcurrencyLimit, error) {
	id, err := page.PathID(r, "Concurrency limit")
	if err != nil {
		return nil, err
	}
	return u.Store.GlobalLimit(r.Context(), id)
}

func (u *UI) limitForm(w http.ResponseWriter, r *http.Request, typed url.Values) (p views.Page, f views.LimitForm, err error) {
	title, name, slots, decay := "New limit", "", "", "0"
	f.OfTag = typed.Get("of") == "tag" || typed == nil && r.URL.Query().Get("of") == "tag"
	if r.PathValue("id") != "new" {
		rec, err := u.limitByID(r)
		if err != nil {
			return p, f, err
		}
		if f.Limit, err = u.readLimit(r.Context(), rec, allHolders); err != nil {
			return p, f, err
		}
		f.OfTag = f.Limit.Tag() != ""
		title, name = f.Limit.Title(), f.Limit.Title()
		slots, decay = strconv.FormatInt(rec.Limit, 10), strconv.FormatFloat(rec.SlotDecayPerSecond, 'f', -1, 64)
	}
	if p, err = u.Page(w, r, title, "concurrency"); err != nil {
		return p, f, err
	}
	fields := []form.Field{
		{
			Name:     "name",
			Title:    "Name",
			Kind:     form.String,
			Required: true,
			Value:    name,
			Desc:     "Of a global limit, what code asks for; of a tag, the tag that task runs carry.",
		},
		{
			Name:     "limit",
			Title:    "Slots",
			Kind:     form.Integer,
			Required: true,
			Value:    slots,
			Min:      "0",
			Desc:     "How many may be taken at once; 0 lets nothing run.",
		},
		{
			Name:  "slot_decay_per_second",
			Title: "Slots that return each second",
			Kind:  form.Number,
			Value: decay,
			Min:   "0",
			Desc:  "More than 0 makes it a rate limit: what is taken comes back by itself.",
		},
	}
	if f.Limit.GlobalConcurrencyLimit != nil && f.OfTag {
		fields = fields[1:2] // clients know the limit by its tag, and take leases of it
	}
	f.Fields = page.Fill("f-", fields, typed)
	return p, f, nil
}

func (u *UI) saveLimit(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.limitForm(w, r, r.PostForm)
	if err != nil {
		return err
	}
	var name string
	var slots int64
	var decay float64
	for i := range f.Fields {
		x := &f.Fields[i]
		if x.Touched {
			x.Value = page.Word(x)
		}
		switch x.Name {
		case "name":
			if name = x.Value; name == "" {
				x.Error = "Write a name."
			}
		case "limit":
			if slots, err = strconv.ParseInt(x.Value, 10, 64); err != nil || slots < 0 {
				x.Error = "Must be a whole number, 0 or more."
			}
		default:
			if decay, err = strconv.ParseFloat("0"+x.Value, 64); err != nil || decay < 0 || decay > 1e9 {
				x.Error = "Must be a number, 0 or more."
			}
		}
	}
	if len(form.Errors(f.Fields)) == 0 {
		id, err := u.putLimit(r.Context(), f, name, slots, decay)
		if err == nil {
			u.Flash(w, "Limit "+p.Title+" changed.")
			if f.Limit.GlobalConcurrencyLimit == nil {
				u.Flash(w, "Limit "+name+" made.")
			}
			return u.Redirect(w, r, "/concurrency/"+id.String())
		}
		if f.Problem, err = page.Refused(f.Fields, err); err != nil {
			return err
		}
	}
	return u.Again(w, r, views.LimitFormC(f), views.LimitPage(p, f))
}

func (u *UI) putLimit(ctx context.Context, f views.LimitForm, name string, slots int64, decay float64) (core.UUID, error) {
	switch l := f.Limit.GlobalConcurrencyLimit; {
	case l == nil && f.OfTag:
		if _, err := u.Store.GlobalLimitByName(ctx, core.TagLimitPrefix+name); err == nil {
			return core.UUID{}, core.Errorf(core.EConflict, "The tag %q has a limit already; open it to change it.", name)
		}
		made, err := u.Limits.SetTagLimit(ctx, core.TagLimitCreate{Tag: name, Limit: slots})
		return core.Deref(made).ID, err
	case l == nil:
		made, err := u.Limits.CreateGlobalLimit(ctx, core.GlobalConcurrencyLimitCreate{Name: name, Limit: slots, SlotDecayPerSecond: decay})
		return core.Deref(made).ID, err
	case f.OfTag:
		return l.ID, u.Limits.UpdateGlobalLimit(ctx, l.ID, core.GlobalConcurrencyLimitUpdate{Limit: page.Changed(&f.Fields[0], slots)})
	default:
		return l.ID, u.Limits.UpdateGlobalLimit(ctx, l.ID, core.GlobalConcurrencyLimitUpdate{
			Name: page.Changed(&f.Fields[0], name), Limit: page.Changed(&f.Fields[1], slots), SlotDecayPerSecond: page.Changed(&f.Fields[2], decay),
		})
	}
}

func (u *UI) toggleLimit(w http.ResponseWriter, r *http.Request) error {
	l, err := u.limitByID(r)
	if err != nil {
		return err
	}
	return u.Toggle(w, r, "Limit "+views.Limit{GlobalConcurrencyLimit: l}.Title(), "/concurrency/"+l.ID.String(), func(on bool) error {
		return u.Limits.UpdateGlobalLimit(r.Context(), l.ID, core.GlobalConcurrencyLimitUpdate{Active: core.Some(on)})
	})
}

// resetLimit takes back what can be taken: of a tag, all its slots; else those
// without a lease, and what has not decayed.
func (u *UI) resetLimit(w http.ResponseWriter, r *http.Request) error {
	l, err := u.limitByID(r)
	if err != nil {
		return err
	}
	v := views.Limit{GlobalConcurrencyLimit: l}
	if tag := v.Tag(); tag != "" {
		err = u.Limits.ResetTagLimit(r.Context(), tag, nil)
	} else {
		err = u.Limits.UpdateGlobalLimit(r.Context(), l.ID, core.GlobalConcurrencyLimitUpdate{ActiveSlots: core.Some(int64(0))})
	}
	if err != nil {
		return err
	}
	u.Flash(w, "Slots of "+v.Title()+" taken back.")
	return u.Redirect(w, r, "/concurrency/"+l.ID.String())
}

// freeSlots takes the slots of one holder back.
func (u *UI) freeSlots(w http.ResponseWriter, r *http.Request) error {
	l, err := u.limitByID(r)
	if err != nil {
		return err
	}
	lease, err := core.ParseUUID(r.PathValue("lease"))
	if err != nil {
		return core.NotFound("Lease")
	}
	held, err := u.Store.SlotLease(r.Context(), lease)
	if err != nil {
		return err
	}
	if err := u.Limits.ReleaseSlots(r.Context(), lease); err != nil {
		return err
	}
	u.Flash(w, "Freed "+views.SlotCount(held.Slots)+" of "+views.Limit{GlobalConcurrencyLimit: l}.Title()+".")
	return u.Redirect(w, r, "/concurrency/"+l.ID.String())
}

func (u *UI) deleteLimit(w http.ResponseWriter, r *http.Request) error {
	l, err := u.limitByID(r)
	if err != nil {
		return err
	}
	if err := u.Limits.DeleteGlobalLimit(r.Context(), l.ID); err != nil {
		return err
	}
	u.Flash(w, "Limit "+views.Limit{GlobalConcurrencyLimit: l}.Title()+" deleted.")
	return u.Redirect(w, r, "/concurrency")
}
