package run

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// flowRunVerb does what a button of the run's page says.
func (u *UI) flowRunVerb(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return err
	}
	ctx := r.Context()
	run, err := u.Run(ctx, id)
	if err != nil {
		return err
	}
	var result *core.OrchestrationResult
	var t views.Toast
	switch r.PathValue("verb") {
	case "resume":
		return u.resume(w, r, run)
	case "delete":
		if err := u.Service.DeleteFlowRun(ctx, id); err != nil {
			return err
		}
		u.Flash(w, "Deleted "+run.Name+".")
		return u.Redirect(w, r, "/runs")
	case "priority":
		var n int64
		if n, err = page.Priority(r.PostForm.Get("priority")); err == nil {
			err = u.Service.UpdateFlowRun(ctx, id, core.FlowRunUpdate{Priority: core.Some(n)})
		}
		t = views.Toast{State: "completed", Text: fmt.Sprintf("%s has priority %d.", run.Name, n)}
	case "cancel":
		result, err = u.Service.CancelFlowRun(ctx, id)
		t = views.Toast{State: "cancelled", Text: "Cancelling " + run.Name + "."}
	case "suspend":
		result, err = u.Service.SuspendFlowRun(ctx, id)
		t = views.Toast{State: "paused", Text: "Pausing " + run.Name + ": it stops before its next task."}
	case "retry":
		result, err = u.Service.RetryFlowRun(ctx, id, false)
		t = views.Toast{State: "scheduled", Text: run.Name + " runs again from the first task that did not finish."}
	case "fresh":
		result, err = u.Service.RetryFlowRun(ctx, id, true)
		t = views.Toast{State: "scheduled", Text: run.Name + " runs again from its first task."}
	default:
		return page.NoPage()
	}
	if err == nil {
		err = refusal(result)
	}
	if err != nil {
		return err
	}
	if run, err = u.Run(ctx, id); err != nil {
		return err
	}
	t.Href, t.Link = "/flow-runs/"+id.String(), "Open"
	return u.replyRun(w, r, run, t)
}

// replyRun answers with a toast and the head, banner and timeline as they are
// now; on other pages those targets are not there and nothing is swapped.
func (u *UI) replyRun(w http.ResponseWriter, r *http.Request, run views.Run, t views.Toast) error {
	back := "/flow-runs/" + run.ID.String()
	if !page.HX(r) {
		return u.Reply(w, r, back, t)
	}
	p, err := u.Page(w, r, "", "runs")
	if err != nil {
		return err
	}
	d := views.FlowRunView{Run: run}
	if err := u.readHead(r.Context(), &d); err != nil {
		return err
	}
	if d.Ask, err = u.ask(r.Context(), p, run); err != nil {
		return err
	}
	var extra []templ.Component
	if onRunPage(r, run) {
		t.Href, t.Link = "", ""
		if t.State == "scheduled" { // a finished run's page has no stream to follow the new attempt with
			u.Flash(w, t.Text)
			return u.Redirect(w, r, back)
		}
		extra = []templ.Component{
			page.Partial("#run-head", "outerMorph", views.RunHead(p, d)),
			page.Partial("#banner", "innerHTML", views.RunBanner(p, d)),
		}
	}
	return u.Reply(w, r, back, t, extra...)
}

// refusal is what the rules said instead of doing it.
func refusal(res *core.OrchestrationResult) error {
	if res == nil || res.Status == core.Accept {
		return nil
	}
	if res.State != nil && res.State.Type == core.Cancelled && res.Written { // cancelled at once, because nothing of it runs
		return nil
	}
	reason := core.Deref(res.Details.Reason)
	if reason == "" {
		reason = "This run cannot do that in its present state."
	}
	return core.Errorf(core.EConflict, "%s", reason)
}

// resume answers the question of a paused run.
func (u *UI) resume(w http.ResponseWriter, r *http.Request, run views.Run) error {
	ctx := r.Context()
	if run.StateType != core.Paused {
		return core.Errorf(core.EConflict, "Somebody has already answered: %s is %s.", run.Name, run.StateName)
	}
	p, err := u.Page(w, r, run.Name, "runs")
	if err != nil {
		return err
	}
	a, err := u.ask(ctx, p, run)
	if err != nil {
		return err
	}
	input, ok := form.Decode(nil, a.Fields, r.PostForm, p.Loc)
	if !ok || form.Changed(a.Fields) {
		return u.askAgain(w, r, a)
	}
	if !a.HasSchema {
		input = nil
	}
	result, err := u.Service.ResumeFlowRun(ctx, run.ID, input)
	if e, bad := page.Invalid(err); bad {
		if rest := form.Mark(a.Fields, e.Fields); len(rest) > 0 || len(e.Fields) == 0 {
			a.Problem = e.Message
		}
		return u.askAgain(w, r, a)
	}
	if err != nil {
		return err
	}
	if result.Status == core.Reject {
		a.Problem = core.Deref(result.Details.Reason)
		return u.askAgain(w, r, a)
	}
	if err := refusal(result); err != nil {
		return err
	}
	name := run.Name
	if run, err = u.Run(ctx, run.ID); err != nil {
		return err
	}
	t := views.Toast{State: "running", Text: "Resumed " + name + "."}
	if !page.HX(r) {
		return u.Reply(w, r, "/flow-runs/"+run.ID.String(), t)
	}
	return u.replyRun(w, r, run, t)
}

// askAgain shows the form with what was typed and what is wrong with it.
func (u *UI) askAgain(w http.ResponseWriter, r *http.Request, a *views.Ask) error {
	p, d, err := u.readFlowRun(w, r)
	if err != nil {
		return err
	}
	d.Ask = a
	p.Refresh = false // what was typed must stay
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.Approval(p, d))
	}
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.FlowRunPage(p, d))
}

func onRunPage(r *http.Request, run views.Run) bool {
	return strings.Contains(r.Header.Get("Hx-Current-Url"), "/flow-runs/"+run.ID.String())
}
