package orchestrate_test

import (
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// A trigger goes on counting when something else of its automation is replaced, as
// by the form of a page, and begins anew when it is another one.
func TestReplacedAutomationGoesOnCounting(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		const trigger = `{"posture":"Reactive","expect":["x"],"match":{"prefect.resource.id":"thing.*"},"threshold":2,"within":600}`
		const act = `{"type":"do-nothing"}`
		a := must(h.CreateAutomation(h.ctx, automation(trigger, act)))(t)
		count := func() int {
			h.round()
			return len(h.told("prefect.automation.triggered"))
		}
		replace := func(trigger, description string) {
			t.Helper()
			w := automation(trigger, act)
			w.Description = description
			if err := h.ReplaceAutomation(h.ctx, a.ID, w); err != nil {
				t.Fatal(err)
			}
		}
		h.emit(&core.Event{Event: "x"})
		h.round()
		replace(trigger, "another description")
		h.emit(&core.Event{Event: "x"})
		if n := count(); n != 1 {
			t.Errorf("fired %d times after the second event, want once", n)
		}
		h.emit(&core.Event{Event: "x"})
		h.round()
		replace(strings.Replace(trigger, "600", "601", 1), "another trigger")
		h.emit(&core.Event{Event: "x"})
		if n := count(); n != 1 {
			t.Errorf("fired %d times, want still once: the trigger has changed", n)
		}
	})
}
