package orchestrate_test

import (
	"fmt"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// Numbers stay as they are written on every way into a run: its deployment's
// parameters, its own, variables, wrappers, schedules, and an automation's.
func TestNumbersStayAsWritten(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		localtest.Must(h.CreateVariable(h.Ctx, core.VariableCreate{Name: "exact", Value: core.Some(core.JSON(`{"z":1.0,"a":12345678901234567890123}`))}))(t)
		d := h.Deployed(func(c *core.DeploymentCreate) {
			c.Parameters, c.ParameterOpenAPISchema = core.Some(core.JSON(`{"base":9007199254740993,"own":0}`)), core.Some(core.JSON(`{}`))
		})
		params := func(r *core.FlowRun) map[string]any {
			return localtest.Must(h.Store.FlowRun(h.Ctx, r.ID))(t).Parameters.Map()
		}
		expect := func(what string, got map[string]any, want map[string]string) {
			t.Helper()
			for key, text := range want {
				if fmt.Sprint(got[key]) != text {
					t.Errorf("%s: %s is %v, want %s", what, key, got[key], text)
				}
			}
		}
		run := localtest.Must(h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"own":1.0,"big":12345678901234567890123,` +
			`"variable":{"__prefect_kind":"workspace_variable","variable_name":"exact"},"text":{"__prefect_kind":"json","value":"9007199254740993"}}`)}))(t)
		expect("run", params(run), map[string]string{"base": "9007199254740993", "own": "1.0", "big": "12345678901234567890123",
			"variable": "map[a:12345678901234567890123 z:1.0]", "text": "9007199254740993"})
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["x"]}`, fmt.Sprintf(
			`{"type":"run-deployment","source":"selected","deployment_id":%q,"parameters":{"own":1.0,"big":12345678901234567890123,"list":[9007199254740993],"text":"{{ event.event }}"}}`, d.ID))))(t)
		h.Emit(&core.Event{Event: "x"})
		h.Round()
		runs := localtest.Must(h.Store.FlowRuns(h.Ctx, core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: &core.IDFilter{Any: []core.UUID{d.ID}}}}, core.Page{}))(t)
		for _, r := range runs {
			if r.ID != run.ID {
				expect("automation", params(r), map[string]string{"base": "9007199254740993", "own": "1.0", "big": "12345678901234567890123", "list": "[9007199254740993]", "text": "x"})
			}
		}
		if len(runs) != 2 {
			t.Errorf("%d runs", len(runs))
		}
	})
}
