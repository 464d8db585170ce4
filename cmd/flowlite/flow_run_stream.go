package main

import (
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
)

type flowRunStreamCmd struct {
	runRef
	Key  string `arg:"" optional:"" help:"key of the stream; without it, the streams of the run are listed"`
	From int64  `default:"1" placeholder:"N" help:"number of the first entry"`
}

func (c *flowRunStreamCmd) Help() string {
	return "Each line is the JSON of an entry. It waits for further entries until the run has ended."
}

func (c *flowRunStreamCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	if c.Key == "" {
		list, _, err := ask[[]core.StreamInfo](a, "GET", "/flow_runs/"+r.ID.String()+"/streams", nil)
		if err != nil {
			return err
		}
		for _, s := range list {
			if _, err := fmt.Fprintf(a.out.Out, "%s\t%d\n", s.Key, s.Entries); err != nil {
				return err
			}
		}
		return nil
	}
	for from := c.From; ; {
		page, err := a.api.patient.StreamEntries(a.ctx, r.ID, c.Key, from, 30)
		if err != nil {
			return a.api.explain(err)
		}
		for _, e := range page.Entries {
			line := string(e.Value)
			if a.out.Terminal {
				line = core.PlainText(line)
			}
			if _, err := fmt.Fprintln(a.out.Out, line); err != nil {
				return err
			}
			from = e.Number + 1
		}
		if page.Ended {
			return nil
		}
	}
}
