package views

import (
	"strconv"

	"github.com/flowlite/flowlite/views/form"
)

// AutomationForm makes or changes an automation. Its fields are there for
// every kind of trigger and action at once; the page shows those of the chosen.
type AutomationForm struct {
	ID       string // "" for a new one
	Kind     string // run, status, event, json
	Original string // the trigger that the form was filled from: what its fields do not show stays
	Opened   string // a digest of the automation that the form was filled from
	Enabled  bool
	Fields   []form.Field
	States   []string // of a run, chosen
	Statuses []string // of a pool, queue or deployment, chosen
	Actions  []ActionForm
	Choices  map[string][]string // names to pick from: deployment, work_pool, work_queue, automation, block, flow
	AsJSON   bool
	Raw      form.Field
	Problem  string // an error that belongs to no field

	When, Then []Phrase // how it reads; nil while something is wrong
}

// ActionForm is one action of the form; its fields' names begin with a0., a1. ….
type ActionForm struct {
	Fields   []form.Field
	Original string // the action that the fields were filled from: what nobody touches stays
}

// AutomationKinds are the kinds of trigger and how they are called.
var AutomationKinds = [][2]string{
	{"run", "Run state"},
	{"status", "Pool, queue or deployment"},
	{"event", "Any event"},
	{"json", "Compound, as JSON"},
}

// RunStates are the states that a trigger can wait for, by their names.
var RunStates = []string{
	"Scheduled",
	"Late",
	"Pending",
	"Running",
	"Retrying",
	"AwaitingRetry",
	"Paused",
	"Suspended",
	"Completed",
	"Failed",
	"TimedOut",
	"Crashed",
	"Cancelling",
	"Cancelled",
}

// PoolStatuses are what pools, queues and deployments can become.
var PoolStatuses = [][2]string{{"ready", "Ready"}, {"not-ready", "Not ready"}, {"paused", "Paused"}}

// At is the field of a name.
func (f *AutomationForm) At(name string) *form.Field { return at(f.Fields, name) }

func (a *ActionForm) At(name string) *form.Field { return at(a.Fields, name) }

func at(fields []form.Field, name string) *form.Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return &form.Field{Name: name}
}

func (f *AutomationForm) path() string {
	if f.ID == "" {
		return "/automations/new"
	}
	return "/automations/" + f.ID + "/edit"
}

func (f *AutomationForm) back() string {
	if f.ID == "" {
		return "/automations"
	}
	return "/automations/" + f.ID
}

func (f *AutomationForm) title() string { return pick(f.ID == "", "New automation", "Edit automation") }

// Errors are the fields that are wrong.
func (f *AutomationForm) Errors() []form.Field {
	if f.AsJSON {
		return form.Errors([]form.Field{f.Raw})
	}
	out := form.Errors(f.Fields)
	for i, a := range f.Actions {
		for _, e := range form.Errors(a.Fields) {
			e.Title = "action " + strconv.Itoa(i+1) + ", " + e.Title
			out = append(out, e)
		}
	}
	return out
}
