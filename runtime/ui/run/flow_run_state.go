package run

import (
	"net/http"
	"net/url"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// givenStates are the states that a person may write over a run's own.
var givenStates = []core.StateType{core.Completed, core.Failed, core.Cancelled, core.Crashed}

func stateFields(typed url.Values) []form.Field {
	fields := []form.Field{
		{Name: "type", Title: "State", Kind: form.Enum, Required: true},
		{
			Name:   "message",
			Title:  "Reason",
			Kind:   form.Text,
			Desc:   "Shown with the state; empty says that it was changed by hand.",
			MaxLen: 10_000,
		},
	}
	for _, s := range givenStates {
		fields[0].Enum = append(fields[0].Enum, s.Name())
	}
	return page.Fill("st-", fields, typed)
}

func (u *UI) changeStatePage(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.stateForm(w, r, nil)
	if err != nil {
		return err
	}
	return u.Send(w, r, views.StatePage(p, f))
}

func (u *UI) stateForm(w http.ResponseWriter, r *http.Request, typed url.Values) (p views.Page, f views.StateForm, err error) {
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return p, f, err
	}
	if f.Run, err = u.Run(r.Context(), id); err != nil {
		return p, f, err
	}
	f.Fields = stateFields(typed)
	p, err = u.Page(w, r, "Change state", "runs")
	return p, f, err
}

// changeState writes a state past the rules, as a person wants it.
func (u *UI) changeState(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.stateForm(w, r, r.PostForm)
	if err != nil {
		return err
	}
	c := core.StateCreate{Message: core.Ptr("Changed by hand")}
	for _, s := range givenStates {
		if s.Name() == f.Fields[0].Value {
			c.Type = s
		}
	}
	if c.Type == "" {
		f.Fields[0].Error = "Choose one."
	}
	switch m := f.Fields[1].Value; {
	case len(m) > f.Fields[1].MaxLen:
		f.Fields[1].Error = "The reason is longer than 10,000 characters."
	case page.Word(&f.Fields[1]) != "":
		c.Message = &m
	}
	if len(form.Errors(f.Fields)) == 0 {
		res, err := u.Service.SetFlowRunState(r.Context(), f.Run.ID, c, true)
		if err == nil {
			err = refusal(res)
		}
		switch core.CodeOf(err) {
		case "":
			u.Flash(w, f.Run.Name+" is "+c.Type.Name()+" now.")
			return u.Redirect(w, r, "/flow-runs/"+f.Run.ID.String())
		case core.EInvalid, core.EConflict, core.EBadRequest:
			f.Problem = err.Error()
		default:
			return err
		}
	}
	if page.HX(r) {
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.StateFormC(f))
	}
	return u.SendCode(w, r, http.StatusUnprocessableEntity, views.StatePage(p, f))
}
