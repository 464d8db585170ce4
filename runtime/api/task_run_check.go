package api

import (
	"encoding/json"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// maxRetryDelays is the peer's limit.
const maxRetryDelays = 50

// inputKinds are what an input of a task run may be, as the peer names them,
// and the field that each must have.
var inputKinds = []struct{ model, kind, needs string }{
	{"TaskRunResult", "task_run", "id"},
	{"FlowRunResult", "flow_run", "id"},
	{"Parameter", "parameter", "name"},
	{"Constant", "constant", "type"},
}

// checkTaskRun checks what clients of the peer say of a new task run. Our own
// engine reports its task runs by another way.
func checkTaskRun(c *core.TaskRunCreate) error {
	if err := checkState(c.State, "state"); err != nil {
		return err
	}
	if p := c.EmpiricalPolicy; p != nil {
		var delays []json.RawMessage
		if json.Unmarshal(p.RetryDelay, &delays) == nil && len(delays) > maxRetryDelays {
			return invalid(
				"value_error",
				"Value error, Can not configure more than 50 retry delays per task.",
				delays,
				"empirical_policy",
				"retry_delay",
			)
		}
	}
	return checkTaskInputs(c.TaskInputs)
}

// checkTaskInputs answers with every model that an input might have been meant
// as, as the peer does.
func checkTaskInputs(inputs core.JSON) error {
	if inputs.IsNull() {
		return nil
	}
	var named map[string]core.JSON
	if json.Unmarshal(inputs, &named) != nil {
		return invalid("dict_type", "Input should be a valid dictionary", inputs, "task_inputs")
	}
	for name, given := range named {
		var list []core.JSON
		if json.Unmarshal(given, &list) != nil {
			return invalid("list_type", "Input should be a valid list", given, "task_inputs", name)
		}
		for i, item := range list {
			if err := checkTaskInput(item, "task_inputs", name, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkTaskInput(item core.JSON, loc ...any) error {
	var x map[string]any
	if core.Unmarshal(item, &x) != nil || x == nil {
		return invalid(
			"model_attributes_type",
			"Input should be a valid dictionary or object to extract fields from",
			item,
			append(loc, inputKinds[0].model)...)
	}
	kind, given := x["input_type"]
	faults := &core.Error{Code: core.EInvalid, Message: "an input's input_type is task_run, flow_run, parameter or constant"}
	for _, k := range inputKinds {
		at := append(append([]any{"body"}, loc...), k.model)
		_, has := x[k.needs]
		switch {
		case (!given || kind == k.kind) && has:
			return nil
		case given && kind != k.kind:
			faults.Fields = append(
				faults.Fields,
				core.FieldError{Type: "literal_error", Loc: append(at, "input_type"), Msg: "Input should be '" + k.kind + "'", Input: kind},
			)
		}
		if !has {
			faults.Fields = append(
				faults.Fields,
				core.FieldError{Type: "missing", Loc: append(slices.Clip(at), k.needs), Msg: "Field required", Input: x},
			)
		}
	}
	return faults
}
