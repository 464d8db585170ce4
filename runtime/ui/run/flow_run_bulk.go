package run

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// mostBulk is how many runs one order is done to.
const mostBulk = 1000

var bulkWords = map[string]string{"retry": "Retrying", "cancel": "Cancelling", "delete": "Deleted"}

// bulk does one thing to the ticked runs and says how many it was done to.
// What cannot be undone, or is done to all that match, is asked about first.
func (u *UI) bulk(w http.ResponseWriter, r *http.Request) error {
	q := r.PostForm
	do, back := q.Get("do"), "/runs?"+listQuery(q.Get("query")).Encode()
	if bulkWords[do] == "" {
		return core.Errorf(core.EBadRequest, "Choose retry, cancel or delete.")
	}
	all := q.Get("all") == "1"
	if q.Get("sure") != "1" && (all || do == "delete") {
		ask := url.Values{"do": {do}, "query": {listQuery(q.Get("query")).Encode()}}
		if all {
			ask.Set("all", "1")
		} else {
			ask["id"] = q["id"]
		}
		return u.Redirect(w, r, "/runs/bulk?"+ask.Encode())
	}
	ids, _, err := u.bulkIDs(r.Context(), u.BarePage(r, ""), q)
	if err != nil {
		return err
	}
	done, first := u.eachRun(r.Context(), do, ids)
	t := views.Toast{State: "completed", Text: fmt.Sprintf("%s %d of %d runs.", bulkWords[do], done, len(ids))}
	if first != nil {
		t.State, t.Text = "late", t.Text+" "+first.Error()
	}
	if q.Get("sure") == "1" { // from the page that asked
		u.Flash(w, t.Text)
		return u.Redirect(w, r, back)
	}
	return u.Reply(w, r, back, t)
}

// bulkPage asks before an order is carried out.
func (u *UI) bulkPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	p, err := u.Page(w, r, "Runs", "runs")
	if err != nil {
		return err
	}
	b := views.Bulk{Do: q.Get("do"), All: q.Get("all") == "1", Query: listQuery(q.Get("query")).Encode()}
	if bulkWords[b.Do] == "" {
		return core.Errorf(core.EBadRequest, "Choose retry, cancel or delete.")
	}
	ids, total, err := u.bulkIDs(r.Context(), p, q)
	if err != nil {
		return err
	}
	b.N, b.Total = len(ids), total
	if !b.All {
		b.IDs = ids
	}
	runs, err := u.Store.FlowRunsByIDs(r.Context(), ids[:min(10, len(ids))])
	if err != nil {
		return err
	}
	if b.Some, err = u.Named(r.Context(), runs); err != nil {
		return err
	}
	return u.Send(w, r, views.BulkPage(p, b))
}

// bulkIDs are the runs that an order is about: the ticked ones, or those of
// the list that can be so treated, at most mostBulk, and how many there are.
func (u *UI) bulkIDs(ctx context.Context, p views.Page, q url.Values) (ids []core.UUID, total int64, err error) {
	if q.Get("all") != "1" {
		for _, s := range q["id"] {
			id, err := core.ParseUUID(s)
			if err != nil {
				return nil, 0, core.NotFound("Flow run")
			}
			ids = append(ids, id)
		}
		return ids, int64(len(ids)), nil
	}
	_, l, err := u.runsQuery(ctx, p, listQuery(q.Get("query")))
	if err != nil {
		return nil, 0, err
	}
	if total, err = l.count(ctx, u); err != nil {
		return nil, 0, err
	}
	for len(ids) < mostBulk {
		runs, err := l.stretch(ctx, u, l.after, false, core.MaxLimit)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range runs {
			if len(ids) < mostBulk && suits(q.Get("do"), r) {
				ids = append(ids, r.ID)
			}
		}
		if len(runs) < core.MaxLimit {
			break
		}
		l.after = cursorOf(l.cursor(runs[len(runs)-1]))
	}
	return ids, total + int64(len(l.older)), nil
}

// suits says whether a run can be so treated; others of the list are passed over.
func suits(do string, r *core.FlowRun) bool {
	switch do {
	case "retry":
		return r.StateType.Final() && r.StateType != core.Completed && !r.DeploymentID.IsZero()
	case "cancel":
		return !r.StateType.Final() && r.StateType != core.Cancelling
	}
	return true
}

// eachRun does it to all, several at once, so that they share commits.
func (u *UI) eachRun(ctx context.Context, do string, ids []core.UUID) (done int, first error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, 16)
	for _, id := range ids {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			err := u.doOne(ctx, do, id)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	return done, first
}

func (u *UI) doOne(ctx context.Context, do string, id core.UUID) error {
	var res *core.OrchestrationResult
	var err error
	switch do {
	case "retry":
		res, err = u.Service.RetryFlowRun(ctx, id, false)
	case "cancel":
		res, err = u.Service.CancelFlowRun(ctx, id)
	case "delete":
		err = u.Service.DeleteFlowRun(ctx, id)
	}
	if err != nil {
		return err
	}
	return refusal(res)
}

// listQuery is a list's address without what is no filter of it.
func listQuery(s string) url.Values {
	q, _ := url.ParseQuery(s)
	out := url.Values{}
	for _, k := range views.RunFilters {
		for _, v := range q[k] {
			if v = strings.TrimSpace(v); v != "" {
				out.Add(k, v)
			}
		}
	}
	if !out.Has("from") && !out.Has("to") {
		out.Del(views.ZoneField)
	}
	return out
}
