package page

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

// Named gives runs the names they are shown by.
func (k *Kit) Named(ctx context.Context, rs []*core.FlowRun) ([]views.Run, error) {
	out := make([]views.Run, 0, len(rs))
	for _, r := range rs {
		v := views.Run{FlowRun: r}
		var err error
		if v.Flow, err = k.FlowName(ctx, r.FlowID); err != nil {
			return nil, err
		}
		if v.Deployment, err = k.names.get(r.DeploymentID, func() (string, error) {
			d, err := k.Store.Deployment(ctx, r.DeploymentID)
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

// FlowName is the name of a flow; empty if it was deleted.
func (k *Kit) FlowName(ctx context.Context, id core.UUID) (string, error) {
	return k.names.get(id, func() (string, error) {
		f, err := k.Store.Flow(ctx, id)
		if err != nil {
			return "", err
		}
		return f.Name, nil
	})
}

// Run reads one run with its names.
func (k *Kit) Run(ctx context.Context, id core.UUID) (views.Run, error) {
	r, err := k.Store.FlowRun(ctx, id)
	if err != nil {
		return views.Run{}, err
	}
	rs, err := k.Named(ctx, []*core.FlowRun{r})
	if err != nil {
		return views.Run{}, err
	}
	return rs[0], nil
}

// Runs lists runs with their names.
func (k *Kit) Runs(ctx context.Context, f core.Filters, p core.Page) ([]views.Run, error) {
	rs, err := k.Store.FlowRuns(ctx, f, p)
	if err != nil {
		return nil, err
	}
	return k.Named(ctx, rs)
}

// Event reads one event. It returns ENotFound for an event that there never was, or that was
// too old to keep.
func (k *Kit) Event(ctx context.Context, id core.UUID) (*core.Event, error) {
	es, err := k.Store.Events(ctx, &core.EventFilter{ID: &core.EventIDs{ID: []core.UUID{id}}}, core.Page{Limit: 1})
	if err == nil && len(es) == 0 {
		err = core.Errorf(core.ENotFound, "There is no event %s; old ones are deleted.", id)
	}
	if err != nil {
		return nil, err
	}
	return es[0], nil
}
