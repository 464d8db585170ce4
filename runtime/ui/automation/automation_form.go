package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// maxActionForms is how many actions the form takes; the service says how many
// an automation may have.
const maxActionForms = 100

// saveAutomation does what the button says: saves, adds or removes an action,
// or turns the form into JSON and back.
func (u *UI) saveAutomation(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.openAutomationForm(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	var old *core.Automation
	if r.PathValue("id") != "" {
		if old, err = u.readAutomation(r); err != nil {
			return err
		}
		f.ID = old.ID.String()
	}
	readPosted(f, r.PostForm)
	if old != nil {
		f.Enabled = old.Enabled
	}
	now := openedAs(old)
	outdated := old != nil && f.Opened != "" && f.Opened != now
	do := r.PostForm.Get("do")
	if n, ok := strings.CutPrefix(do, "remove-"); ok {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(f.Actions) {
			f.Actions = renumbered(slices.Delete(f.Actions, i, i+1))
		}
		return u.showForm(w, r, p, f, http.StatusOK)
	}
	if do == "add" {
		f.Actions = append(f.Actions, views.ActionForm{Fields: actionFields(len(f.Actions))})
		return u.showForm(w, r, p, f, http.StatusOK)
	}
	c, ok := u.build(ctx, f)
	switch {
	case !ok:
	case do == "json" || do == "form":
		opened := f.Opened
		u.fillAutomation(ctx, f, c)
		f.AsJSON, f.Opened = do == "json", opened
		return u.showForm(w, r, p, f, http.StatusOK)
	case outdated:
		f.Opened, f.Problem = now, "Someone else has changed the automation since you opened the form. Save again to replace it."
	default:
		err := u.write(ctx, old, c)
		if err == nil {
			return u.saved(w, r, old, c)
		}
		if e, bad := page.Invalid(err); bad {
			markAutomation(f, e)
		} else {
			return err
		}
	}
	return u.showForm(w, r, p, f, http.StatusUnprocessableEntity)
}

// proseFields are texts whose blanks count.
var proseFields = []string{"description", "message", "subject", "body", "payload"}

// openedAs is a digest of what the form shows of an automation.
func openedAs(a *core.Automation) string {
	if a == nil {
		return ""
	}
	c := writeOf(a)
	c.Enabled = nil // not part of the form
	return form.Digest(rawOf(c))
}

func (u *UI) write(ctx context.Context, old *core.Automation, c core.AutomationWrite) error {
	if old != nil {
		return u.Service.ReplaceAutomation(ctx, old.ID, c)
	}
	_, err := u.Service.CreateAutomation(ctx, c)
	return err
}

func (u *UI) saved(w http.ResponseWriter, r *http.Request, old *core.Automation, c core.AutomationWrite) error {
	if old != nil {
		u.Flash(w, "Automation "+c.Name+" saved.")
		return u.Redirect(w, r, "/automations/"+old.ID.String())
	}
	u.Flash(w, "Automation "+c.Name+" made.")
	return u.Redirect(w, r, "/automations")
}

func (u *UI) showForm(w http.ResponseWriter, r *http.Request, p views.Page, f *views.AutomationForm, code int) error {
	if page.HX(r) {
		return u.SendCode(w, r, code, views.AutomationFormC(f))
	}
	u.read(r.Context(), f)
	return u.SendCode(w, r, code, views.AutomationFormPage(p, f))
}

// previewAutomation says how the form reads as it stands.
func (u *UI) previewAutomation(w http.ResponseWriter, r *http.Request) error {
	f := &views.AutomationForm{}
	readPosted(f, r.PostForm)
	u.read(r.Context(), f)
	return u.Send(w, r, views.AutomationReads(f))
}

// read puts the form into words, without complaints about what is not typed yet.
func (u *UI) read(ctx context.Context, f *views.AutomationForm) {
	name := f.At("name").Error
	c, _ := u.build(ctx, f)
	f.At("name").Error = name
	if c.Trigger == nil {
		return
	}
	naming := u.naming(ctx)
	f.When, f.Then = views.WhenSentence(c.Trigger, naming), views.ThenSentence(c.Actions, naming)
}

// readPosted puts what was typed into the fields.
func readPosted(f *views.AutomationForm, q url.Values) {
	f.Enabled, f.AsJSON = true, q.Get("as") == "json"
	f.Kind, f.Original, f.Opened = q.Get("kind"), q.Get("original"), q.Get(form.OpenedName)
	f.States, f.Statuses = q["run.states"], q["status.states"]
	f.Fields = automationFields()
	typed := func(fs []form.Field) {
		for i := range fs {
			fs[i].Value = strings.ReplaceAll(q.Get(fs[i].Path), "\r\n", "\n")
			if !slices.Contains(proseFields, fs[i].Name) {
				fs[i].Value = strings.TrimSpace(fs[i].Value)
			}
		}
	}
	typed(f.Fields)
	f.Raw = form.Field{
		Name:     "raw",
		Path:     "raw",
		ID:       "raw",
		Title:    "The whole automation",
		Kind:     form.JSON,
		TypeHint: "json",
		Value:    q.Get("raw"),
	}
	f.Actions = nil
	for i := 0; i < maxActionForms && q.Has("a"+strconv.Itoa(i)+".type"); i++ {
		a := views.ActionForm{Fields: actionFields(i), Original: q.Get("a" + strconv.Itoa(i) + ".original")}
		typed(a.Fields)
		f.Actions = append(f.Actions, a)
	}
}

func renumbered(actions []views.ActionForm) []views.ActionForm {
	for i := range actions {
		fresh := actionFields(i)
		for j := range fresh {
			fresh[j].Value = actions[i].Fields[j].Value
		}
		actions[i].Fields = fresh
	}
	return actions
}

// build makes the automation that the form asks for; what is wrong stands at
// its field, and then ok is false.
func (u *UI) build(ctx context.Context, f *views.AutomationForm) (c core.AutomationWrite, ok bool) {
	if f.AsJSON {
		if err := decodeStrict(f.Raw.Value, &c); err != nil {
			f.Raw.Error = err.Error()
			return c, false
		}
		if c.Name == "" {
			f.Raw.Error = "name: Required."
		}
		return c, f.Raw.Error == ""
	}
	if c.Name = f.At("name").Value; c.Name == "" {
		f.At("name").Error = "Required."
	}
	c.Description, c.Tags, c.Enabled = f.At("description").Value, page.TagsOf(f.At("tags").Value), &f.Enabled
	c.Trigger = u.buildTrigger(ctx, f)
	c.Actions = []*core.AutomationAction{}
	for i := range f.Actions {
		a := u.buildAction(ctx, i, &f.Actions[i])
		if loops, err := trigger.EndlessAction(ctx, u.Store, c.Trigger, a); err != nil {
			f.Problem = err.Error()
		} else if x := f.Actions[i].At("deployment"); loops && x.Error == "" {
			x.Error = "Each run that this starts would set it off again, without an end. Wait for runs that fail, or for those of another flow."
		}
		c.Actions = append(c.Actions, a)
	}
	for name, list := range map[string]*[]*core.AutomationAction{"on_trigger": &c.ActionsOnTrigger, "on_resolve": &c.ActionsOnResolve} {
		if v := f.At(name); v.Value != "" {
			if err := decodeStrict(v.Value, list); err != nil {
				v.Error = err.Error()
			}
		}
	}
	return c, len(f.Errors()) == 0
}

// decodeStrict refuses what it would lose: unknown keys, and anything after
// the value.
func decodeStrict(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after its end")
		}
	}
	if errors.Is(err, io.EOF) {
		return errors.New("Not valid JSON: nothing is there.")
	}
	if err != nil {
		return fmt.Errorf("Not valid JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func commaList(s string) []string {
	out := []string{}
	for x := range strings.SplitSeq(s, ",") {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}
