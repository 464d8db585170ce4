package run

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// anyMessage is the schema of a message of which nothing is known.
const anyMessage = `{"properties":{"value":{"title":"Message","description":"JSON; a text in double quotes."}},"required":["value"]}`

// flowRunMessages is fetched when the run goes on. It answers 204 if the page shows
// the same already: what a person types into it stays.
func (u *UI) flowRunMessages(w http.ResponseWriter, r *http.Request) error {
	p, d, err := u.readAwaited(w, r)
	if err != nil {
		return err
	}
	shown := ""
	if d.Awaited != nil {
		shown = d.Awaited.Shown
	}
	if r.URL.Query().Get("shown") == shown {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return u.Send(w, r, views.Messages(p, d))
}

func (u *UI) readAwaited(w http.ResponseWriter, r *http.Request) (p views.Page, d views.FlowRunView, err error) {
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return p, d, err
	}
	if p, err = u.Page(w, r, "", "runs"); err != nil {
		return p, d, err
	}
	if d.Run, err = u.Run(r.Context(), id); err != nil {
		return p, d, err
	}
	d.Awaited, err = u.awaited(r.Context(), p, d.Run, r.URL.Query().Get("topic"))
	return p, d, err
}

// awaited is what calls of the flow wait for, with the form of one topic: the given
// one if it is among them. Nil if there is none.
func (u *UI) awaited(ctx context.Context, p views.Page, run views.Run, topic string) (*views.Awaited, error) {
	if run.Final() {
		return nil, nil
	}
	waits := core.StateFilter{Name: &core.TextFilter{Any: []string{core.NameAwaitingMessage}}}
	f := core.Filters{TaskRuns: &core.TaskRunFilter{FlowRunID: page.One(run.ID), State: &waits}}
	calls, err := u.Store.TaskRuns(ctx, f, core.Page{Limit: core.MaxMessageTopics})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(calls, func(a, b *core.TaskRun) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	a, of, shown := &views.Awaited{}, map[string]*core.State{}, []string{}
	for _, c := range calls {
		if c.State == nil {
			continue
		}
		shown = append(shown, c.State.ID.String())
		for _, t := range c.State.Details.Topics {
			if of[t] == nil {
				of[t], a.Topics = c.State, append(a.Topics, t)
			}
		}
	}
	if len(a.Topics) == 0 {
		return nil, nil
	}
	if a.Topic = topic; of[topic] == nil {
		a.Topic = a.Topics[0]
	}
	state := of[a.Topic]
	a.Shown, a.Since = form.Digest(strings.Join(shown, "")+a.Topic), state.Timestamp
	if until := state.Details.ScheduledTime; until.Sub(a.Since) < core.FarAway-24*time.Hour {
		a.Until = until
	}
	schema := []byte(state.Details.TopicSchemas[a.Topic])
	if s, err := form.Parse(schema); err == nil && len(schema) > 0 {
		a.Title = s.Title
	} else {
		schema = []byte(anyMessage)
	}
	if a.Title == "Parameters" { // what Go structs are called
		a.Title = ""
	}
	if a.Fields, err = form.Build(schema, nil, nil, p.Loc); err != nil {
		a.Problem = err.Error()
	}
	return a, nil
}

// sendMessage sends what was typed to the topic that the form is for.
func (u *UI) sendMessage(w http.ResponseWriter, r *http.Request) error {
	p, d, err := u.readAwaited(w, r)
	if err != nil {
		return err
	}
	topic := r.URL.Query().Get("topic")
	if d.Awaited == nil || d.Awaited.Topic != topic {
		return core.Errorf(core.EConflict, "%s does not wait for a message to %s any more.", d.Run.Name, core.CutText(topic, 100))
	}
	a := d.Awaited
	value, ok := form.Decode(nil, a.Fields, r.PostForm, p.Loc)
	if !ok {
		return u.messageAgain(w, r, p, d)
	}
	if inner, wrapped := core.UnwrapMessage(value); wrapped {
		value = inner
	}
	_, err = u.Service.SendMessage(r.Context(), d.Run.ID, core.MessageCreate{Topic: topic, Value: value})
	if e, bad := page.Invalid(err); bad {
		a.Problem = e.Message
		return u.messageAgain(w, r, p, d)
	}
	if err != nil {
		return err
	}
	t := views.Toast{State: "completed", Text: "Sent a message to " + topic + "."}
	if d.Awaited, err = u.awaited(r.Context(), p, d.Run, topic); err != nil {
		return err
	}
	return u.Reply(w, r, "/flow-runs/"+d.Run.ID.String(), t, page.Partial("#messages", "outerHTML", views.Messages(p, d)))
}

// messageAgain shows the form with what was typed and what is wrong with it.
func (u *UI) messageAgain(w http.ResponseWriter, r *http.Request, p views.Page, d views.FlowRunView) error {
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.Messages(p, d))
	}
	a := d.Awaited
	p, d, err := u.readFlowRun(w, r)
	if err != nil {
		return err
	}
	d.Awaited, p.Refresh = a, false // what was typed must stay
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.FlowRunPage(p, d))
}
