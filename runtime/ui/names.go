package ui

import (
	"context"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// names remembers what flows and deployments are called: a name never changes.
type names struct {
	sync.Mutex
	of map[core.UUID]string
}

// maxNames bounds the memory; beyond it the cache starts over.
const maxNames = 10_000

func (n *names) get(id core.UUID, read func() (string, error)) (string, error) {
	n.Lock()
	s, ok := n.of[id]
	n.Unlock()
	if ok || id.IsZero() {
		return s, nil
	}
	s, err := read()
	if err != nil {
		if core.IsNotFound(err) {
			return "", nil
		}
		return "", err
	}
	n.Lock()
	if n.of == nil || len(n.of) >= maxNames {
		n.of = map[core.UUID]string{}
	}
	n.of[id] = s
	n.Unlock()
	return s, nil
}

// named gives runs the names they are shown by.
func (u *UI) named(ctx context.Context, rs []*core.FlowRun) ([]views.Run, error) {
	out := make([]views.Run, 0, len(rs))
	for _, r := range rs {
		v := views.Run{FlowRun: r}
		var err error
		if v.Flow, err = u.flowName(ctx, r.FlowID); err != nil {
			return nil, err
		}
		if v.Deployment, err = u.names.get(r.DeploymentID, func() (string, error) {
			d, err := u.Store.Deployment(ctx, r.DeploymentID)
			if err != nil {
				return "", err
			}
			return d.Name, nil
		}); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (u *UI) flowName(ctx context.Context, id core.UUID) (string, error) {
	return u.names.get(id, func() (string, error) {
		f, err := u.Store.Flow(ctx, id)
		if err != nil {
			return "", err
		}
		return f.Name, nil
	})
}

// run reads one run with its names.
func (u *UI) run(ctx context.Context, id core.UUID) (views.Run, error) {
	r, err := u.Store.FlowRun(ctx, id)
	if err != nil {
		return views.Run{}, err
	}
	rs, err := u.named(ctx, []*core.FlowRun{r})
	if err != nil {
		return views.Run{}, err
	}
	return rs[0], nil
}

// runs lists runs with their names.
func (u *UI) runs(ctx context.Context, f core.Filters, p core.Page) ([]views.Run, error) {
	rs, err := u.Store.FlowRuns(ctx, f, p)
	if err != nil {
		return nil, err
	}
	return u.named(ctx, rs)
}
