package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// maxParamsLine is how long a line of --params-file may be.
const maxParamsLine = 1 << 20

// createMany creates a run for each line of the file; all are of the kind of the
// given one, and a line goes before the parameters that are common to all.
func (c *deploymentRunCmd) createMany(a *app, d *core.Deployment, run core.DeploymentFlowRunCreate, common core.Object) error {
	f, err := os.Open(c.ParamsFile)
	if err != nil {
		return badUsage("--params-file: %v", err)
	}
	defer f.Close()
	var list []core.DeploymentFlowRunCreate
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxParamsLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		params, err := core.JSON(bytes.Clone(line)).Object()
		if err != nil {
			return badUsage("--params-file: line %d is not a JSON object: %v", n, err)
		}
		for _, p := range common {
			if _, given := params.Get(p.Key); !given {
				params = append(params, p)
			}
		}
		one := run
		one.Parameters = params.JSON()
		if run.IdempotencyKey != nil {
			one.IdempotencyKey = core.Ptr(*run.IdempotencyKey + "/" + strconv.Itoa(len(list)+1))
		}
		list = append(list, one)
	}
	if err := lines.Err(); err != nil {
		return badUsage("--params-file: %v", err)
	}
	if len(list) > core.MaxFlowRunsAtOnce {
		return badUsage("--params-file has %d lines, and one call creates at most %d runs; split the file", len(list), core.MaxFlowRunsAtOnce)
	}
	made, raw, err := ask[core.FlowRunsCreated](a, "POST", "/deployments/"+d.ID.String()+"/create_flow_run/bulk?all_or_none=true", list)
	if err != nil {
		return err
	}
	return a.out.Say(raw, "", "Created %s of %s", count(len(made.Results), "flow run"), d.FullName())
}
