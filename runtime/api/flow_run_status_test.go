package api

import (
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// A status is the last value of a key; a replay or an older attempt sets nothing.
func TestFlowRunStatus(t *testing.T) {
	w := memory(t)
	id := w.run(w.flow("statuses"), nil)["id"].(string)
	path := "/flow_runs/" + id + "/status"
	set := func(attempt, ordinal int, value any) {
		w.do(204, "POST", path+"/step", object{"source": "s", "attempt": attempt, "ordinal": ordinal, "value": value})
	}
	equal(t, "none", w.do(200, "GET", path, nil), "[]")
	for _, x := range []object{{"value": "load"}, {"attempt": 1, "value": object{"n": 1}}} {
		w.do(204, "POST", path+"/phase", x)
	}
	set(1, 1, "two")
	set(1, 0, "one")
	set(1, 1, "twice")
	equal(t, "step", w.get(path + "/step")["value"], "two")
	set(2, 0, "one")
	equal(t, "step", w.get(path + "/step")["value"], "one")
	if got := w.do(200, "GET", path, nil).([]any); len(got) != 2 || got[0].(object)["key"] != "phase" || got[1].(object)["updated"] == nil {
		t.Error(got)
	}
	w.do(422, "POST", path+"/step", object{"attempt": 3})
	w.do(422, "POST", path+"/not%20a%20key", object{"value": 1})
	w.do(422, "POST", path+"/step", object{"attempt": 3, "value": strings.Repeat("x", core.MaxStatusValue)})
	if got := w.do(404, "GET", path+"/other", nil).(object)["detail"]; got != "the run has set no status other" {
		t.Error(got)
	}
	other := "/flow_runs/" + core.NewID().String() + "/status"
	for _, path := range []string{other, other + "/step"} {
		if got := w.do(404, "GET", path, nil).(object)["detail"]; !strings.HasPrefix(got.(string), "Flow run") {
			t.Error(path, got)
		}
	}
	w.do(404, "POST", other+"/step", object{"value": 1})
}
