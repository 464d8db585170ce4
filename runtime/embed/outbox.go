package embed

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/local"
)

var _ engine.Outbox = (*outbox)(nil)

// outbox turns what transactions of the program started into runs: once committed,
// a start is a row that any App on the database finds. A run has the ID of its start,
// so that one that is found twice becomes one run.
type outbox struct {
	starts  *db.Starts
	service *local.Service
	log     *slog.Logger
	wake    chan struct{} // a transaction may be committed soon
	stop    context.CancelFunc
	done    chan struct{}
}

const (
	startsSweep = time.Second // how often starts of other processes, and late ones, are looked for
	startsBatch = 100
	startsTime  = 10 * time.Second // of one look
)

// openOutbox is nil where no transaction can reach the App's database.
func (a *App) openOutbox(ctx context.Context) (*outbox, error) {
	var starts *db.Starts
	var err error
	if a.db.sqlite != nil {
		starts, err = db.SQLiteStarts(ctx, a.db.sqlite)
	} else {
		starts, err = db.PostgresStarts(ctx, a.server.Store())
	}
	if err != nil || starts == nil {
		return nil, err
	}
	o := &outbox{starts: starts, service: a.server.Service(), log: a.logger(), wake: make(chan struct{}, 1), done: make(chan struct{})}
	ctx, o.stop = context.WithCancel(context.WithoutCancel(ctx))
	go o.loop(ctx)
	return o, nil
}

func (o *outbox) close() {
	if o != nil {
		o.stop()
		<-o.done
	}
}

// Put checks the start as the server would, and writes it within tx.
func (o *outbox) Put(ctx context.Context, tx any, deployment core.UUID, c core.DeploymentFlowRunCreate) (*core.FlowRun, error) {
	run, exists, err := o.service.CheckDeploymentFlowRun(ctx, deployment, c)
	if err != nil || exists {
		return run, err
	}
	if c.IdempotencyKey != nil {
		run.ID = keyed(run.FlowID, *c.IdempotencyKey)
	}
	c.Name = run.Name
	start, err := o.starts.Put(ctx, tx, db.Start{ID: run.ID, Deployment: deployment, Create: c})
	if err != nil {
		return nil, err
	}
	run.Name = start.Create.Name // that of another start with the key
	if string(start.Create.Parameters) != string(c.Parameters) {
		run.Parameters = start.Create.Parameters
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return run, nil
}

// keyed is the ID of the run that has an idempotency key, so that transactions which
// do not see each other's rows make one run.
func keyed(flow core.UUID, key string) (id core.UUID) {
	sum := sha256.Sum256([]byte(flow.String() + "/" + key))
	copy(id[:], sum[:])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // a UUID of version 8
	return id
}

// Settle creates the run of a committed start.
func (o *outbox) Settle(ctx context.Context, id core.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, startsTime)
	defer cancel()
	start, err := o.starts.Get(ctx, id)
	if err != nil || start == nil {
		return err
	}
	return o.create(ctx, *start) // the loop takes the start away
}

func (o *outbox) create(ctx context.Context, s db.Start) error {
	_, err := o.service.CreateStartedFlowRun(ctx, s.ID, s.Deployment, s.Create)
	return err
}

// loop looks often for a while after a transaction of this process wrote a start,
// and else now and then.
func (o *outbox) loop(ctx context.Context) {
	defer close(o.done)
	var often backoff.Pauses
	for ctx.Err() == nil {
		look, cancel := context.WithTimeout(ctx, startsTime)
		n, err := o.runOnce(look)
		cancel()
		if err != nil && ctx.Err() == nil {
			o.log.Warn("starts of transactions not read", "error", err)
		}
		if n == startsBatch {
			continue
		}
		pause := startsSweep
		if often.Limit > 0 {
			if pause = often.Next(); pause >= startsSweep {
				often = backoff.Pauses{}
			}
		}
		select {
		case <-ctx.Done():
		case <-o.wake:
			often = backoff.Pauses{First: 2 * time.Millisecond, Limit: 2 * startsSweep}
			_ = backoff.Sleep(ctx, often.Next())
		case <-time.After(pause):
		}
	}
}

// runOnce creates the runs of committed starts. A start that cannot become a run now
// is tried again later, and delays no other.
func (o *outbox) runOnce(ctx context.Context) (created int, err error) {
	due, err := o.starts.Due(ctx, core.Now(), startsBatch)
	if err != nil {
		return 0, err
	}
	var faults []error
	for _, s := range due {
		if err := o.create(ctx, s); err != nil {
			if ctx.Err() != nil {
				return created, errors.Join(faults...)
			}
			o.log.Warn("run of a committed transaction not created; trying again", "flow_run", s.ID, "deployment", s.Deployment, "error", err)
			faults = append(faults, o.starts.Later(ctx, s.ID, core.TimeFrom(time.Now().Add(startsLater))))
			continue
		}
		created++
		faults = append(faults, o.starts.Delete(ctx, s.ID))
	}
	return created, errors.Join(faults...)
}

// startsLater is when a start is tried again that could not become a run.
const startsLater = 10 * time.Second
