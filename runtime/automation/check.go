package automation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/trigger"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/template"
)

// Bounds of what an automation may consist of.
const (
	maxTriggers     = 100
	maxActions      = 100
	leastProactive  = 10
	sourceSelected  = "selected"
	sourceInferred  = "inferred"
	defaultSubject  = "Prefect automated notification"
	deepestTriggers = 10
)

// fillAutomation checks c and puts it into a; triggers get new ids.
func fillAutomation(t template.Engine, a *core.Automation, c core.AutomationWrite) error {
	var faults []core.FieldError
	fault := func(loc []any, kind, format string, args ...any) {
		faults = append(faults, core.FieldError{Type: kind, Loc: loc, Msg: fmt.Sprintf(format, args...)})
	}
	if c.Trigger == nil {
		fault([]any{"body", "trigger"}, "missing", "Field required")
	} else {
		checkTrigger(c.Trigger, []any{"body", "trigger"}, 0, fault)
	}
	if c.Actions == nil {
		fault([]any{"body", "actions"}, "missing", "Field required")
	}
	for _, list := range []struct {
		key     string
		actions []*core.AutomationAction
	}{{"actions", c.Actions}, {"actions_on_trigger", c.ActionsOnTrigger}, {"actions_on_resolve", c.ActionsOnResolve}} {
		if len(list.actions) > maxActions {
			fault([]any{"body", list.key}, "too_long", "An automation has at most %d actions", maxActions)
			continue
		}
		for i, act := range list.actions {
			checkAction(t, act, []any{"body", list.key, i}, fault)
		}
	}
	if len(faults) == 0 && trigger.RunsForEveryRun(c) {
		fault(
			[]any{"body"},
			"value_error",
			"Value error, Running a deployment from the state changes of every flow run leads to an endless loop of flow runs. "+
				"Please choose a specific deployment and add filtering labels to the match or match_related of this automation's trigger.",
		)
	}
	if len(faults) > 0 {
		return &core.Error{Code: core.EInvalid, Message: faults[0].Msg, Fields: faults}
	}
	a.Name, a.Description, a.Tags = c.Name, c.Description, c.Tags
	a.Enabled = c.Enabled == nil || *c.Enabled
	a.Trigger, a.Actions = c.Trigger, c.Actions
	a.ActionsOnTrigger, a.ActionsOnResolve = c.ActionsOnTrigger, c.ActionsOnResolve
	for _, list := range []*[]*core.AutomationAction{&a.ActionsOnTrigger, &a.ActionsOnResolve} {
		if *list == nil {
			*list = []*core.AutomationAction{}
		}
	}
	return nil
}

type faultFunc func(loc []any, kind, format string, args ...any)

func under(loc []any, more ...any) []any { return append(slices.Clip(loc), more...) }

func checkTrigger(t *core.Trigger, loc []any, depth int, fault faultFunc) {
	t.ID = core.NewID()
	switch t.Type {
	case core.TriggerEvent, "":
		t.Type = core.TriggerEvent
		checkEventTrigger(t, loc, fault)
		return
	case core.TriggerCompound, core.TriggerSequence:
	default:
		fault(under(loc, "type"), "literal_error", "Input should be 'event', 'compound' or 'sequence'")
		return
	}
	if len(t.Triggers) == 0 {
		fault(under(loc, "triggers"), "missing", "Field required: without a trigger within, it would never fire")
	}
	if depth >= deepestTriggers || len(t.Triggers) > maxTriggers {
		fault(under(loc, "triggers"), "too_long", "Triggers lie at most %d deep, and at most %d within one", deepestTriggers, maxTriggers)
		return
	}
	if t.Within != nil && *t.Within < 0 {
		fault(under(loc, "within"), "greater_than_equal", "Input should be greater than or equal to 0 seconds")
	}
	for i, child := range t.Triggers {
		if child == nil {
			fault(under(loc, "triggers", i), "model_type", "Input should be a trigger")
			continue
		}
		checkTrigger(child, under(loc, "triggers", i), depth+1, fault)
	}
	if t.Type == core.TriggerCompound {
		checkRequire(t, loc, fault)
	}
}

func checkRequire(t *core.Trigger, loc []any, fault faultFunc) {
	var n int
	var word string
	switch {
	case t.Require.IsNull():
		fault(under(loc, "require"), "missing", "Field required")
	case json.Unmarshal(t.Require, &word) == nil:
		if word != "any" && word != "all" {
			fault(under(loc, "require"), "literal_error", "Input should be 'any', 'all' or a number")
		}
	case json.Unmarshal(t.Require, &n) != nil:
		fault(under(loc, "require"), "int_parsing", "Input should be 'any', 'all' or a number")
	case n < 1:
		fault(loc, "value_error", "Value error, require must be at least 1")
	case n > len(t.Triggers):
		fault(loc, "value_error", "Value error, require must be less than or equal to the number of triggers")
	}
}

func checkEventTrigger(t *core.Trigger, loc []any, fault faultFunc) {
	if t.Threshold == nil {
		t.Threshold = core.Ptr(int64(1))
	}
	switch t.Posture {
	case core.Reactive, core.Proactive:
	case "":
		fault(under(loc, "posture"), "missing", "Field required")
	default:
		fault(under(loc, "posture"), "literal_error", "Input should be 'Reactive' or 'Proactive'")
	}
	switch {
	case t.Within == nil:
		t.Within = core.Ptr(core.Seconds(0))
	case *t.Within < 0:
		fault(under(loc, "within"), "greater_than_equal", "Input should be greater than or equal to 0 seconds")
	}
	if t.Posture == core.Proactive {
		if *t.Within == 0 {
			t.Within = core.Ptr(core.Seconds(leastProactive))
		} else if *t.Within < leastProactive {
			fault(loc, "value_error", "Value error, `within` for Proactive triggers must be greater than or equal to 10 seconds")
		}
	}
	for key, v := range t.Match {
		if !labelValues(v) {
			fault(under(loc, "match", key), "string_type", "Input should be a valid string, or a list of them")
		}
	}
	if t.MatchRelated.IsNull() {
		t.MatchRelated = core.JSON("{}")
	}
	var one map[string]any
	var many []map[string]any
	if core.Unmarshal(t.MatchRelated, &one) == nil {
		many = []map[string]any{one}
	} else if core.Unmarshal(t.MatchRelated, &many) != nil {
		fault(under(loc, "match_related"), "dict_type", "Input should be a valid dictionary, or a list of them")
	}
	for _, spec := range many {
		for key, v := range spec {
			if !labelValues(v) {
				fault(under(loc, "match_related", key), "string_type", "Input should be a valid string, or a list of them")
			}
		}
	}
}

func labelValues(v any) bool {
	switch v := v.(type) {
	case string:
		return true
	case []any:
		for _, x := range v {
			if _, ok := x.(string); !ok {
				return false
			}
		}
		return true
	}
	return false
}

// targetKind is the kind of resource that a type of action acts on by id.
func targetKind(action string) string {
	if action == "run-deployment" {
		return "deployment"
	}
	for _, verb := range []string{"pause-", "resume-"} {
		if kind, ok := strings.CutPrefix(action, verb); ok && kind != "flow-run" {
			return kind
		}
	}
	return ""
}

func checkAction(t template.Engine, a *core.AutomationAction, loc []any, fault faultFunc) {
	if a == nil {
		fault(loc, "model_type", "Input should be an action")
		return
	}
	if _, known := core.ActionFields[a.Type]; !known {
		fault(under(loc, "type"), "literal_error", "Input should be one of the types of action, such as 'run-deployment' or 'send-notification'")
		return
	}
	checkTemplate := func(field, text string) {
		if err := t.Validate(text); err != nil {
			fault(under(loc, field), "value_error", "Value error, '%s' is not a valid template: %v", field, err)
		}
	}
	if kind := targetKind(a.Type); kind != "" {
		field := strings.ReplaceAll(kind, "-", "_") + "_id"
		if a.Source == "" {
			a.Source = sourceSelected
		}
		id := map[string]core.UUID{
			"deployment": a.DeploymentID, "work-pool": a.WorkPoolID, "work-queue": a.WorkQueueID, "automation": a.AutomationID,
		}[kind]
		switch {
		case a.Source != sourceSelected && a.Source != sourceInferred:
			fault(under(loc, "source"), "literal_error", "Input should be 'selected' or 'inferred'")
		case a.Source == sourceSelected && id.IsZero():
			fault(loc, "value_error", "Value error, %s is required", field)
		case a.Source == sourceInferred && !id.IsZero():
			fault(loc, "value_error", "Value error, %s is not allowed", field)
		}
	}
	switch a.Type {
	case "run-deployment":
		eachText(a.Parameters.ObjectTree(), func(text string) { checkTemplate("parameters", text) })
	case "change-flow-run-state":
		if !core.StateType(a.State).Valid() {
			fault(under(loc, "state"), "enum", "Input should be a type of state, such as 'COMPLETED' or 'FAILED'")
		}
	case "send-notification":
		if a.Subject == nil {
			a.Subject = core.Ptr(defaultSubject)
		}
		if a.Body == "" {
			fault(under(loc, "body"), "missing", "Field required")
		}
		checkTemplate("subject", *a.Subject)
		checkTemplate("body", a.Body)
	case "call-webhook":
		a.Payload = payloadText(a.Payload)
		checkTemplate("payload", textOf(a.Payload))
	}
	if (a.Type == "send-notification" || a.Type == "call-webhook") && a.BlockDocumentID.IsZero() {
		fault(under(loc, "block_document_id"), "missing", "Field required")
	}
}

// payloadText makes of an object the text that it was written as.
func payloadText(j core.JSON) core.JSON {
	var text string
	if j.IsNull() {
		return core.JSON(`""`)
	}
	if json.Unmarshal(j, &text) == nil {
		return j
	}
	return core.ToJSON(string(j))
}

func textOf(j core.JSON) (text string) {
	decodeJSON(j, &text)
	return text
}

// eachText visits the texts of a decoded JSON value.
func eachText(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, x := range v {
			eachText(x, visit)
		}
	case core.Object:
		for _, m := range v {
			eachText(m.Value, visit)
		}
	}
}
