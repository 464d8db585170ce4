package orchestrate

import (
	"fmt"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
)

// checkParameters holds parameters against a deployment's schema.
func checkParameters(d *core.Deployment, params core.JSON) error {
	if d.ParameterOpenAPISchema.IsNull() {
		return core.Errorf(
			core.EConflict,
			"Error creating flow run: parameter schema enforcement is enabled and the deployment does not have a parameter schema; deploy it again, or turn enforce_parameter_schema off",
		)
	}
	faults := schema.Validate(d.ParameterOpenAPISchema, params, true)
	if len(faults) == 0 {
		return nil
	}
	return &core.Error{Code: core.EConflict, Message: "Error creating flow run: " + faultText(faults), Fields: faults}
}

// faultText says in one line what is wrong with which field.
func faultText(faults []core.FieldError) string {
	texts := make([]string, len(faults))
	for i, f := range faults {
		if loc := locText(f.Loc); loc != "" {
			texts[i] = fmt.Sprintf("Validation failed for field '%s'. Failure reason: %s", loc, f.Msg)
		} else {
			texts[i] = "Validation failed. Failure reason: " + f.Msg
		}
	}
	return strings.Join(texts, "; ")
}

func locText(loc []any) string {
	parts := make([]string, 0, len(loc))
	if len(loc) > 1 && loc[0] == "parameters" {
		loc = loc[1:]
	}
	for _, p := range loc {
		parts = append(parts, fmt.Sprint(p))
	}
	return strings.Join(parts, ".")
}
