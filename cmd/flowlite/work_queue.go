package main

import (
	"fmt"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type workQueueCmd struct {
	Ls workQueueLsCmd `cmd:"" aliases:"list" help:"List the queues of a pool"`
}

type workQueueLsCmd struct {
	pageFlags
	Pool string `short:"p" help:"only of this pool"`
}

func (c *workQueueLsCmd) Run(a *app) error {
	path := "/work_queues/filter"
	if c.Pool != "" {
		path = "/work_pools/" + esc(c.Pool) + "/queues/filter"
	}
	all, raw, err := ask[[]*core.WorkQueue](a, "POST", path, c.body(nil))
	if err != nil {
		return a.noPool(c.Pool, err)
	}
	t := &out.Table{Empty: "no work queues", Columns: []out.Column{{Name: "name"}, {Name: "pool"}, {Name: "priority", Right: true}, {Name: "limit", Right: true}, {Name: "status"}}}
	var names []string
	for _, q := range all {
		names = append(names, q.Name)
		t.Rows = append(t.Rows, []string{q.Name, core.Deref(q.WorkPoolName), fmt.Sprint(q.Priority), limit(q.ConcurrencyLimit), a.out.Status(core.Deref(q.Status))})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}
