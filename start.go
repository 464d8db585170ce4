package flowlite

import (
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// StartOption is a setting of Flow.Start and Flow.StartMany.
type StartOption interface{ applyStart(*startSettings) }

type startSettings struct {
	key, name, queue, deployment string
	tags                         []string
	at                           time.Time
	priority                     int
}

// create is what the settings ask for, without the idempotency key.
func (s *startSettings) create(params core.JSON) core.DeploymentFlowRunCreate {
	c := core.DeploymentFlowRunCreate{Name: s.name, Parameters: params, Tags: s.tags, Priority: int64(s.priority)}
	if s.queue != "" {
		c.WorkQueueName = &s.queue
	}
	if !s.at.IsZero() {
		c.State = &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.TimeFrom(s.at)}}
	}
	return c
}

type startOption func(*startSettings)

func (o startOption) applyStart(s *startSettings) { o(s) }

// IdempotencyKey names the run for its starter: a second Start of the flow with the
// same key returns the same run, whatever its state, until the server deletes it.
// Other parameters under a used key are ErrConflict. An empty key is no key.
func IdempotencyKey(key string) StartOption {
	return startOption(func(s *startSettings) { s.key = key })
}

// Named gives the run a name. The default is generated.
func Named(name string) StartOption { return startOption(func(s *startSettings) { s.name = name }) }

// RunTags adds tags to those of the flow and the deployment.
func RunTags(tags ...string) StartOption {
	return startOption(func(s *startSettings) { s.tags = append(s.tags, tags...) })
}

// At starts the run at a time. A time in the past is now.
func At(t time.Time) StartOption { return startOption(func(s *startSettings) { s.at = t }) }

// Delay starts the run after d.
func Delay(d time.Duration) StartOption {
	return startOption(func(s *startSettings) { s.at = time.Now().Add(d) })
}

// Priority lets the run start before others of its work queue that have a lower
// number. The default is 0.
func Priority(n int) StartOption { return startOption(func(s *startSettings) { s.priority = n }) }

// Queue puts the run into another work queue of the deployment's work pool.
func Queue(name string) StartOption { return startOption(func(s *startSettings) { s.queue = name }) }

// OnDeployment starts a run of the flow's deployment with this name.
func OnDeployment(name string) StartOption {
	return startOption(func(s *startSettings) { s.deployment = name })
}
