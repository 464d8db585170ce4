package db

import (
	"encoding/json"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func stateOf(id core.UUID, typ, name string, at core.Time, message *string, data, details core.JSON) *core.State {
	if id.IsZero() {
		return nil
	}
	s := &core.State{ID: id, Type: core.StateType(typ), Name: name, Timestamp: at, Message: message, Data: data}
	decode(details, &s.Details)
	return s
}

func flowRunStateOf(s *row.FlowRunState) *core.State {
	return stateOf(s.ID, s.Type, s.Name, s.Timestamp, s.Message, s.Data, s.StateDetails)
}

func taskRunStateOf(s *row.TaskRunState) *core.State {
	return stateOf(s.ID, s.Type, s.Name, s.Timestamp, s.Message, s.Data, s.StateDetails)
}

// storedDetails leaves out what is null: half of a state's bytes are nulls.
func storedDetails(d core.StateDetails) core.JSON {
	all := map[string]json.RawMessage{}
	decode(core.ToJSON(d), &all)
	for k, v := range all {
		if s := string(v); s == "null" || s == "false" && k != "refresh_cache" && k != "retriable" {
			delete(all, k)
		}
	}
	return core.ToJSON(all)
}

// estimates of a run, computed at the time of reading.
func estimates(now core.Time, typ core.StateType, at, expected, start core.Time, total float64) (runTime, delta float64) {
	runTime = total
	if typ == core.Running && at != 0 && now > at {
		runTime += now.Sub(at).Seconds()
	}
	switch {
	case expected == 0:
	case start != 0:
		delta = max(0, start.Sub(expected).Seconds())
	case !typ.Final():
		delta = max(0, now.Sub(expected).Seconds())
	}
	return runTime, delta
}
