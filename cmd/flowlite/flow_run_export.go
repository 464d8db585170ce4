package main

import (
	"encoding/json"

	"github.com/flowlite/flowlite/runtime/core"
)

type flowRunExportCmd struct{ runRef }

func (c *flowRunExportCmd) Help() string {
	return "Keep the file with the code of the flow and replay it in a test with flowtest.Replay: the test fails when a change " +
		"of the code no longer matches what such a run has done. The file holds inputs and results of the run."
}

func (c *flowRunExportCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	x := core.RunExport{FlowRun: r, Inputs: map[string]string{}, Results: map[string]core.JSON{}}
	const page = 1000
	for after := (core.UUID{}); ; {
		list, err := a.api.once.TaskRunsOf(a.ctx, r.ID, after, page)
		if err != nil {
			return a.api.explain(err)
		}
		for _, t := range list {
			x.TaskRuns, after = append(x.TaskRuns, t), t.ID
			key := t.State.ResultKey()
			if key == "" {
				continue
			}
			b, err := a.api.once.Result(a.ctx, key)
			if err != nil {
				return a.api.explain(err)
			}
			x.Results[key] = b
		}
		if len(list) < page {
			break
		}
	}
	inputs, err := a.api.once.FlowRunInputs(a.ctx, r.ID, "", nil, core.MaxLimit)
	if err != nil {
		return a.api.explain(err)
	}
	for _, in := range inputs {
		x.Inputs[in.Key] = in.Value
	}
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	return a.out.Raw(b)
}
