package orchestrate

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// names is what events say of the things that runs belong to. It is kept a
// moment, since a run's events need the same names again and again.
type names struct {
	name, kind string
	tags       core.Tags
	parent     core.UUID
	until      time.Time
}

type nameCache struct {
	mu sync.Mutex
	m  map[core.UUID]names
}

const (
	namesFor = 5 * time.Second
	namesMax = 10_000
)

func (c *nameCache) get(id core.UUID, load func() (names, error)) names {
	c.mu.Lock()
	n, ok := c.m[id]
	c.mu.Unlock()
	if ok && time.Now().Before(n.until) {
		return n
	}
	n, err := load()
	if err != nil {
		return names{}
	}
	n.until = time.Now().Add(namesFor)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) >= namesMax {
		c.m = map[core.UUID]names{}
	}
	c.m[id] = n
	return n
}

func (c *nameCache) forget(id core.UUID) {
	c.mu.Lock()
	delete(c.m, id)
	c.mu.Unlock()
}

func (s *Service) flowNames(ctx context.Context, r nameReader, id core.UUID) names {
	return s.names.get(id, func() (names, error) {
		f, err := r.Flow(ctx, id)
		if err != nil {
			return names{}, err
		}
		return names{name: f.Name, tags: f.Tags}, nil
	})
}

func (s *Service) deploymentNames(ctx context.Context, r nameReader, id core.UUID) names {
	return s.names.get(id, func() (names, error) {
		d, err := r.Deployment(ctx, id)
		if err != nil {
			return names{}, err
		}
		return names{name: d.Name, tags: d.Tags}, nil
	})
}

func (s *Service) poolNames(ctx context.Context, r nameReader, id core.UUID) names {
	return s.names.get(id, func() (names, error) {
		p, err := r.WorkPool(ctx, id)
		if err != nil {
			return names{}, err
		}
		return names{name: p.Name, kind: p.Type}, nil
	})
}

// flowRunEvent tells that run went from a state (nil: none) to its present one.
func (s *Service) flowRunEvent(ctx context.Context, r nameReader, run *core.FlowRun, from *core.State, asked core.StateType) *core.Event {
	to := run.State
	e := &core.Event{
		ID: to.ID, Occurred: to.Timestamp, Received: s.now(), Event: "prefect.flow-run." + to.Name,
		Resource: map[string]string{
			"prefect.resource.id":     "prefect.flow-run." + run.ID.String(),
			"prefect.resource.name":   run.Name,
			"prefect.run-count":       strconv.FormatInt(run.RunCount, 10),
			"prefect.state-message":   core.CutText(core.Deref(to.Message), 10_000),
			"prefect.state-name":      to.Name,
			"prefect.state-timestamp": to.Timestamp.Time().Format("2006-01-02T15:04:05.000000+00:00"),
			"prefect.state-type":      string(to.Type),
		},
	}
	if from != nil {
		e.Follows = from.ID
	}
	flow := s.flowNames(ctx, r, run.FlowID)
	tags := append(slices.Clone(run.Tags), flow.tags...)
	e.Related = append(make([]map[string]string, 0, 4), core.RelatedResource("flow", run.FlowID, "flow", flow.name))
	if !run.DeploymentID.IsZero() {
		if d := s.deploymentNames(ctx, r, run.DeploymentID); d.name != "" {
			e.Related = append(e.Related, core.RelatedResource("deployment", run.DeploymentID, "deployment", d.name))
			tags = append(tags, d.tags...)
		}
	}
	if !run.WorkQueueID.IsZero() {
		e.Related = append(e.Related, core.RelatedResource("work-queue", run.WorkQueueID, "work-queue", core.Deref(run.WorkQueueName)))
	}
	if !run.WorkPoolID.IsZero() {
		pool := core.RelatedResource("work-pool", run.WorkPoolID, "work-pool", core.Deref(run.WorkPoolName))
		pool["prefect.work-pool.type"] = s.poolNames(ctx, r, run.WorkPoolID).kind
		e.Related = append(e.Related, pool)
	}
	if !run.ParentTaskRunID.IsZero() {
		e.Related = append(e.Related, core.RelatedResource("task-run", run.ParentTaskRunID, "task-run", run.Name))
	}
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		e.Related = append(e.Related, map[string]string{"prefect.resource.id": "prefect.tag." + tag, "prefect.resource.role": "tag"})
	}
	if by := run.CreatedBy; by != nil && by.Type != nil && !by.ID.IsZero() {
		e.Related = append(e.Related, core.RelatedResource(strings.ToLower(*by.Type), by.ID, "creator", core.Deref(by.DisplayValue)))
	}
	e.Payload = transitionPayload(from, to, cmp.Or(asked, to.Type))
	return e
}

type stateSummary struct {
	Type            core.StateType `json:"type"`
	Name            string         `json:"name"`
	Message         string         `json:"message,omitempty"`
	PauseReschedule string         `json:"pause_reschedule,omitempty"`
}

func summary(s *core.State) *stateSummary {
	if s == nil {
		return nil
	}
	v := &stateSummary{Type: s.Type, Name: s.Name, Message: core.CutText(core.Deref(s.Message), 100_000)}
	if s.Type == core.Paused {
		v.PauseReschedule = strconv.FormatBool(s.Details.PauseReschedule)
	}
	return v
}

type intended struct {
	From *core.StateType `json:"from"`
	To   core.StateType  `json:"to"`
}

func transitionPayload(from, to *core.State, asked core.StateType) core.JSON {
	p := struct {
		Intended  intended      `json:"intended"`
		Initial   *stateSummary `json:"initial_state"`
		Validated *stateSummary `json:"validated_state"`
	}{intended{To: asked}, summary(from), summary(to)}
	if from != nil {
		p.Intended.From = &from.Type
	}
	return core.ToJSON(p)
}
