package main

import (
	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type flowRunStatusCmd struct {
	runRef
	Key string `arg:"" optional:"" help:"key; without it, all keys of the run are listed"`
}

func (c *flowRunStatusCmd) Help() string {
	return "A flow sets values under keys with SetStatus. With a key, the value is printed as JSON. " +
		"flow-run inspect shows the state of the run."
}

func (c *flowRunStatusCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	path := "/flow_runs/" + r.ID.String() + "/status"
	if c.Key == "" {
		list, raw, err := ask[[]*core.FlowRunStatus](a, "GET", path, nil)
		if err != nil {
			return err
		}
		t := &out.Table{
			Empty:   "the run has set no status",
			Columns: []out.Column{{Name: "key", Keep: true}, {Name: "value"}, {Name: "updated"}},
		}
		keys := make([]string, len(list))
		for i, s := range list {
			keys[i] = s.Key
			t.Rows = append(t.Rows, []string{s.Key, string(s.Value), a.out.Ago(s.Updated)})
		}
		return a.out.List(raw, t, keys)
	}
	s, raw, err := ask[*core.FlowRunStatus](a, "GET", path+"/"+core.PathSegment(c.Key), nil)
	if err != nil {
		return err
	}
	return a.out.Value(raw, s.Key, string(s.Value))
}
