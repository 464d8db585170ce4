package orchestrate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
)

const emptyStorage = `{"bundle_upload_step":null,"bundle_execution_step":null,"default_result_storage_block_id":null}`

// CreateWorkPool returns EConflict for a taken name and EForbidden for a
// reserved one. The pool comes with a queue "default".
func (s *Service) CreateWorkPool(ctx context.Context, c core.WorkPoolCreate) (*core.WorkPool, error) {
	if err := core.CheckName("work pool", c.Name); err != nil {
		return nil, err
	}
	if strings.HasPrefix(strings.ToLower(c.Name), "prefect") {
		return nil, core.Errorf(core.EForbidden, "work pool names that begin with \"prefect\" are reserved; choose another name")
	}
	if err := checkTemplate(c.BaseJobTemplate); err != nil {
		return nil, err
	}
	if err := checkLimit(c.ConcurrencyLimit); err != nil {
		return nil, err
	}
	var pool *core.WorkPool
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) (err error) {
		if _, err = tx.WorkPoolByName(ctx, c.Name); err == nil {
			return core.Errorf(core.EConflict, "A work pool with this name already exists.")
		}
		pool, err = s.insertPool(ctx, tx, c)
		return err
	})
	return pool, err
}

func (s *Service) insertPool(ctx context.Context, tx poolTx, c core.WorkPoolCreate) (*core.WorkPool, error) {
	now := s.now()
	p := &core.WorkPool{
		ID: core.NewID(), Created: now, Updated: now, Name: c.Name, Description: c.Description, Type: c.Type,
		BaseJobTemplate: c.BaseJobTemplate.OrObject(), IsPaused: c.IsPaused, ConcurrencyLimit: c.ConcurrencyLimit,
		Status: core.Ptr(core.NotReady), DefaultQueueID: core.NewID(), StorageConfiguration: c.StorageConfiguration,
	}
	if p.Type == "" {
		p.Type = "prefect-agent"
	}
	if p.IsPaused {
		p.Status = core.Ptr(core.StatusPaused)
	}
	if p.StorageConfiguration.IsNull() || string(p.StorageConfiguration) == "{}" {
		p.StorageConfiguration = core.JSON(emptyStorage)
	}
	if c.Name == core.DefaultAgentPool {
		p.Status = nil
	}
	if err := tx.InsertWorkPool(ctx, p); err != nil {
		return nil, err
	}
	return p, tx.InsertWorkQueue(ctx, &core.WorkQueue{
		ID: p.DefaultQueueID, Created: now, Updated: now, Name: "default", Description: core.Ptr("The work pool's default queue."),
		Priority: 1, WorkPoolID: p.ID, WorkPoolName: &p.Name, Status: core.Ptr(core.NotReady),
	})
}

// UpdateWorkPool returns ENotFound if there is no such pool.
func (s *Service) UpdateWorkPool(ctx context.Context, name string, u core.WorkPoolUpdate) error {
	if u.BaseJobTemplate.Set {
		if err := checkTemplate(u.BaseJobTemplate.V); err != nil {
			return err
		}
	}
	if err := checkLimit(u.ConcurrencyLimit.Ptr()); err != nil {
		return err
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		p, err := poolByName(ctx, tx, name)
		if err != nil {
			return err
		}
		defer s.names.forget(p.ID)
		if u.Description.Set {
			p.Description = u.Description.Ptr()
		}
		if u.BaseJobTemplate.Set {
			p.BaseJobTemplate = u.BaseJobTemplate.Or(nil).OrObject()
		}
		if u.ConcurrencyLimit.Set {
			p.ConcurrencyLimit = u.ConcurrencyLimit.Ptr()
		}
		if u.StorageConfiguration.Set {
			p.StorageConfiguration = u.StorageConfiguration.Or(core.JSON(emptyStorage))
		}
		if u.IsPaused.Set && !u.IsPaused.Null {
			status := core.StatusPaused
			if !u.IsPaused.V {
				if status, err = workersStatus(ctx, tx, p.ID); err != nil {
					return err
				}
			}
			p.IsPaused = u.IsPaused.V
			s.poolStatus(ctx, tx, out, p, status)
		}
		p.Updated = s.now()
		out.Pool(p.ID)
		return tx.UpdateWorkPool(ctx, p)
	})
}

// DeleteWorkPool takes its queues and workers with it.
func (s *Service) DeleteWorkPool(ctx context.Context, name string) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		p, err := poolByName(ctx, tx, name)
		if err != nil {
			return err
		}
		queues, err := tx.WorkQueues(ctx, p.ID, nil, core.Page{})
		if err != nil {
			return err
		}
		var ids []core.UUID
		for _, q := range queues {
			ids = append(ids, q.ID)
		}
		if err := s.leaveQueues(ctx, tx, out, ids...); err != nil {
			return err
		}
		s.names.forget(p.ID)
		out.Pool(p.ID) // its workers learn that it is gone
		return tx.DeleteWorkPool(ctx, p.ID)
	})
}

// WorkPoolByName returns ENotFound if there is none.
func (s *Service) WorkPoolByName(ctx context.Context, name string) (*core.WorkPool, error) {
	return poolByName(ctx, s.store, name)
}

func poolByName(ctx context.Context, r poolReader, name string) (*core.WorkPool, error) {
	p, err := r.WorkPoolByName(ctx, name)
	if core.IsNotFound(err) {
		return nil, core.Errorf(core.ENotFound, "Work pool %q not found.", name)
	}
	return p, err
}

// workersStatus is READY if any worker of the pool is online.
func workersStatus(ctx context.Context, r workerReader, poolID core.UUID) (string, error) {
	online, err := r.Workers(ctx, poolID, &core.WorkerFilter{Status: &core.TextFilter{Any: []string{core.Online}}}, core.Page{Limit: 1})
	if err != nil || len(online) == 0 {
		return core.NotReady, err
	}
	return core.Ready, nil
}

// PoolRuns is the poll of a Prefect worker: what is due in the pool's queues
// (none named: all) within the limits. It marks the queues and their
// deployments as polled.
func (s *Service) PoolRuns(ctx context.Context, pool string, queues []string, due core.TimeFilter, limit int) ([]core.WorkerRun, error) {
	p, err := poolByName(ctx, s.store, pool)
	if err != nil {
		return nil, err
	}
	list, err := queuesOf(ctx, s.store, p, queues)
	if err != nil {
		return nil, err
	}
	runs, err := dueRuns(ctx, s.store, p, list, due, limit)
	if err != nil {
		return nil, err
	}
	out := make([]core.WorkerRun, 0, len(runs))
	for _, r := range runs {
		r.State = nil
		out = append(out, core.WorkerRun{WorkPoolID: p.ID, WorkQueueID: r.WorkQueueID, FlowRun: r})
	}
	return out, s.markPolled(ctx, p, list)
}

// queuesOf is the named queues of a pool, or all, by priority.
func queuesOf(ctx context.Context, r queueReader, p *core.WorkPool, names []string) ([]*core.WorkQueue, error) {
	all, err := r.WorkQueues(ctx, p.ID, nil, core.Page{})
	if err != nil || len(names) == 0 {
		return all, err
	}
	var out []*core.WorkQueue
	for _, name := range names {
		n := len(out)
		for _, q := range all {
			if q.Name == name {
				out = append(out, q)
			}
		}
		if len(out) == n {
			return nil, core.Errorf(core.ENotFound, "Work queue %q not found in work pool %q.", name, p.Name)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Priority < out[j].Priority })
	return out, nil
}

// dueRuns is what may start now: unpaused, due, within the limits of queue and
// pool, by priority of the queue and then by time. A zero time in due is no bound.
func dueRuns(
	ctx context.Context,
	r dueReader,
	p *core.WorkPool,
	queues []*core.WorkQueue,
	due core.TimeFilter,
	limit int,
) ([]*core.FlowRun, error) {
	if limit <= 0 || limit > core.MaxLimit {
		limit = core.MaxLimit
	}
	if p.IsPaused {
		return nil, nil
	}
	if due.Before == 0 {
		due.Before = core.TimeFrom(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	var load map[core.UUID]int64
	capped := p.ConcurrencyLimit != nil
	for _, q := range queues {
		capped = capped || q.ConcurrencyLimit != nil
	}
	if capped {
		var err error
		if load, err = r.PoolLoad(ctx, p.ID); err != nil {
			return nil, err
		}
	}
	if p.ConcurrencyLimit != nil {
		free := *p.ConcurrencyLimit
		for _, n := range load {
			free -= n
		}
		limit = min(limit, int(max(free, 0)))
	}
	var out []*core.FlowRun
	for _, q := range queues {
		n := limit - len(out)
		if q.ConcurrencyLimit != nil {
			n = min(n, int(max(*q.ConcurrencyLimit-load[q.ID], 0)))
		}
		if q.IsPaused || n <= 0 {
			continue
		}
		runs, err := dueOf(ctx, r, q.ID, due, n)
		if err != nil {
			return nil, err
		}
		out = append(out, runs...)
	}
	return out, nil
}

// dueOf is what is due of one queue. Only a client that asks for a begin of the
// time leaves the index of claims.
func dueOf(ctx context.Context, r dueReader, queue core.UUID, due core.TimeFilter, n int) ([]*core.FlowRun, error) {
	if due.After == 0 {
		return r.ClaimableFlowRuns(ctx, queue, core.Capability{}, due.Before, n)
	}
	return r.FlowRuns(ctx, core.Filters{
		FlowRuns: &core.FlowRunFilter{
			State:                  &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Scheduled}}},
			NextScheduledStartTime: &due,
		},
		WorkQueues: &core.WorkQueueFilter{ID: &core.IDFilter{Any: []core.UUID{queue}}},
	}, core.Page{Sort: "NEXT_SCHEDULED_START_TIME_ASC", Limit: n})
}

// polledEvery is how fresh last_polled is kept; a queue is not ready after 60 s.
const polledEvery = 10 * time.Second

// markPolled makes queues and their deployments READY. Polls come often, so it
// writes only where something would change.
func (s *Service) markPolled(ctx context.Context, p *core.WorkPool, queues []*core.WorkQueue) error {
	now := s.now()
	var ids []core.UUID
	for _, q := range queues {
		if now.Sub(q.LastPolled) >= polledEvery || (core.Deref(q.Status) != core.Ready && !q.IsPaused) {
			ids = append(ids, q.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		for _, q := range queues {
			if slices.Contains(ids, q.ID) && core.Deref(q.Status) != core.Ready && !q.IsPaused {
				out.Event(queueEvent(p, q, core.Ready, now))
			}
		}
		if err := tx.PolledWorkQueues(ctx, ids, now); err != nil {
			return err
		}
		deployments, err := tx.Deployments(ctx, core.Filters{WorkQueues: &core.WorkQueueFilter{ID: &core.IDFilter{Any: ids}}}, core.Page{})
		if err != nil {
			return err
		}
		return s.polledDeployments(ctx, tx, out, deployments)
	})
}

func (s *Service) polledDeployments(ctx context.Context, tx statusTx, out *commit.Outbox, deployments []*core.Deployment) error {
	var ids []core.UUID
	for _, d := range deployments {
		ids = append(ids, d.ID)
		if d.Status != core.Ready {
			out.Event(s.deploymentEvent(ctx, tx, d, core.Ready))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return tx.PolledDeployments(ctx, ids, s.now())
}

var placeholder = regexp.MustCompile(`\{\{\s*([\w.\-]+)\s*\}\}`)

// checkTemplate wants job_configuration and variables, and every placeholder declared.
func checkTemplate(t core.JSON) error {
	if t.IsNull() || string(t) == "{}" {
		return nil
	}
	m := t.Map()
	if len(m) == 0 {
		return core.InvalidField("base_job_template", "base_job_template must be an object with job_configuration and variables")
	}
	configuration, ok := m["job_configuration"]
	variables, ok2 := m["variables"].(map[string]any)
	if !ok || !ok2 {
		return core.InvalidField(
			"base_job_template",
			"The `base_job_template` must contain both a `job_configuration` key and a `variables` key.",
		)
	}
	properties, _ := variables["properties"].(map[string]any)
	var missing []string
	for _, found := range placeholder.FindAllSubmatch(core.ToJSON(configuration), -1) {
		name := string(found[1])
		if _, ok := properties[name]; !ok && !strings.HasPrefix(name, "prefect.") {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		sort.Strings(missing)
		return core.InvalidField(
			"base_job_template",
			fmt.Sprintf(
				"job_configuration uses {{ %s }}, which variables does not declare; add it to variables.properties",
				strings.Join(missing, " }}, {{ "),
			),
		)
	}
	return nil
}

// checkJobVariables validates them by the pool's template.
func checkJobVariables(p *core.WorkPool, variables core.JSON) error {
	if p == nil || variables.IsNull() || string(variables) == "{}" {
		return nil
	}
	declared, ok := p.BaseJobTemplate.Map()["variables"].(map[string]any)
	if !ok {
		return nil
	}
	return fieldsError(core.EInvalid, "job variables", schema.Validate(core.ToJSON(declared), withoutUnset(variables), false))
}

// withoutUnset leaves out the names that env unsets by null: those values need
// not be of the type that a template gives them.
func withoutUnset(variables core.JSON) core.JSON {
	var all, env map[string]json.RawMessage
	if json.Unmarshal(variables, &all) != nil || json.Unmarshal(all["env"], &env) != nil {
		return variables
	}
	maps.DeleteFunc(env, func(_ string, v json.RawMessage) bool { return core.JSON(v).IsNull() })
	all["env"] = json.RawMessage(core.ToJSON(env))
	return core.ToJSON(all)
}

// fieldsError is nil without fields.
func fieldsError(code core.Code, what string, fields []core.FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	var text []string
	for i := range fields {
		msg := fields[i].Msg
		if what == "job variables" {
			msg = strings.Replace(msg, "parameter", "job variable", 1)
		}
		fields[i].Msg = msg
		text = append(text, msg)
	}
	return &core.Error{Code: code, Message: strings.Join(text, "; "), Fields: fields}
}

func checkLimit(n *int64) error {
	if n != nil && *n < 0 {
		return core.InvalidField("concurrency_limit", "concurrency_limit must be 0 or more; leave it out for no limit")
	}
	return nil
}
