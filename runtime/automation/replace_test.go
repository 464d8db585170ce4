package automation_test

import (
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// A trigger goes on counting when something else of its automation is replaced, as
// by the form of a page, and begins anew when it is another one.
func TestReplacedAutomationGoesOnCounting(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		const trigger = `{"posture":"Reactive","expect":["x"],"match":{"prefect.resource.id":"thing.*"},"threshold":2,"within":600}`
		const act = `{"type":"do-nothing"}`
		a := localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(trigger, act)))(t)
		count := func() int {
			h.Round()
			return len(h.Stored("prefect.automation.triggered"))
		}
		replace := func(trigger, description string) {
			t.Helper()
			w := localtest.Automation(trigger, act)
			w.Description = description
			if err := h.ReplaceAutomation(h.Ctx, a.ID, w); err != nil {
				t.Fatal(err)
			}
		}
		h.Emit(&core.Event{Event: "x"})
		h.Round()
		replace(trigger, "another description")
		h.Emit(&core.Event{Event: "x"})
		if n := count(); n != 1 {
			t.Errorf("fired %d times after the second event, want once", n)
		}
		h.Emit(&core.Event{Event: "x"})
		h.Round()
		replace(strings.Replace(trigger, "600", "601", 1), "another trigger")
		h.Emit(&core.Event{Event: "x"})
		if n := count(); n != 1 {
			t.Errorf("fired %d times, want still once: the trigger has changed", n)
		}
	})
}
