package limit

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
)

// Clients up to 3.4.9 take slots without a lease and die without a word. But
// they tell by an event, over the one connection that a process has for its
// events, that they took them, and the connection breaks with the process.

// lostGrace is how long a client whose connection broke may take to be heard of again.
const lostGrace = 30 * time.Second

// lostHolders are runs whose client was lost a moment ago.
type lostHolders struct {
	sync.Mutex
	until map[core.UUID]core.Time
}

func (l *lostHolders) add(ids []core.UUID, until core.Time) {
	l.Lock()
	defer l.Unlock()
	if l.until == nil {
		l.until = map[core.UUID]core.Time{}
	}
	for _, id := range ids {
		if !id.IsZero() {
			l.until[id] = until
		}
	}
}

// heard returns which of the lost an event speaks of, and forgets them.
func (l *lostHolders) heard(e *core.Event, now core.Time) (back []core.UUID) {
	l.Lock()
	defer l.Unlock()
	if len(l.until) == 0 {
		return nil
	}
	look := func(resource string) {
		_, text, of := strings.Cut(resource, "-run.")
		id, err := core.ParseUUID(text)
		if !of || err != nil {
			return
		}
		until, lost := l.until[id]
		delete(l.until, id)
		if lost && until >= now {
			back = append(back, id)
		}
	}
	look(e.ResourceID())
	for _, r := range e.Related {
		look(r["prefect.resource.id"])
	}
	return back
}

// HearOfSlots notes what events of a client's connection say of slots that
// were taken without a lease: who holds them, and that a lost holder is back.
// It says whether the client holds any.
func (s *Limits) HearOfSlots(ctx context.Context, clientID core.UUID, events []*core.Event) (holds bool, err error) {
	for _, e := range events {
		if strings.HasPrefix(e.Event, "prefect.concurrency-limit.") && strings.HasSuffix(e.Event, "acquired") {
			holds = true
			if err := s.claimSlots(ctx, clientID, e); err != nil {
				return holds, err
			}
		}
		for _, id := range s.lost.heard(e, s.now()) {
			err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
				return tx.KeepSlotLeases(ctx, id, clientID, core.Forever)
			})
			if err != nil {
				return holds, err
			}
			holds = true
		}
	}
	return holds, nil
}

// RememberHolders lets runs that held slots when the server stopped be known by
// their next connection, so that its end is theirs.
func (s *Limits) RememberHolders(ctx context.Context) error {
	ids, err := s.store.SlotHolders(ctx)
	if err == nil {
		s.lost.add(ids, core.Forever)
	}
	return err
}

// claimSlots gives the slots that an event says were taken to its sender: of
// v1, the task run's; else the youngest that nobody has claimed.
func (s *Limits) claimSlots(ctx context.Context, clientID core.UUID, e *core.Event) error {
	id := e.ResourceID()
	limitID, bad := core.ParseUUID(id[strings.LastIndexByte(id, '.')+1:])
	if bad != nil {
		return nil //nolint:nilerr // of another system's limit
	}
	holderType, holderID := holderIn(e)
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		leases, err := tx.SlotLeases(ctx, limitID, s.now())
		if err != nil {
			return err
		}
		var mine *core.SlotLease
		for _, x := range leases {
			switch {
			case !x.Counted || !x.ClientID.IsZero():
			case x.HolderType != "" && (x.HolderType != holderType || x.HolderID != holderID):
			default:
				mine = x
			}
		}
		if mine == nil {
			return nil
		}
		if mine.HolderType == "" {
			mine.HolderType, mine.HolderID = holderType, holderID
		}
		mine.ClientID, mine.Limits = clientID, nil
		return tx.PutSlotLease(ctx, mine)
	})
}

// holderIn is the run that an event was sent from: a task run before its flow run.
func holderIn(e *core.Event) (kind string, id core.UUID) {
	if id, err := core.ParseUUID(e.Resource["task_run_id"]); err == nil {
		return "task_run", id
	}
	for _, r := range e.Related {
		for role, k := range map[string]string{"task-run": "task_run", "flow-run": "flow_run"} {
			text, of := strings.CutPrefix(r["prefect.resource.id"], "prefect."+role+".")
			if x, err := core.ParseUUID(text); of && err == nil && r["prefect.resource.role"] == role && (kind == "" || k == "task_run") {
				kind, id = k, x
			}
		}
	}
	return kind, id
}

// LoseClient lets the slots that were taken without a lease by a client whose
// connection broke return soon, unless it is heard of again.
func (s *Limits) LoseClient(ctx context.Context, clientID core.UUID) error {
	until := s.now().Add(lostGrace)
	var holders []core.UUID
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) (err error) {
		holders, err = tx.LoseSlotLeases(ctx, clientID, until)
		return err
	})
	if err == nil {
		s.lost.add(holders, until)
	}
	return err
}

// KeepSlot gives a run that took its deployment's slot for a client that renews
// leases a lease of it; of any other client, the run itself holds the slot.
func (s *Limits) KeepSlot(ctx context.Context, tx Tx, run *core.FlowRun, d *core.Deployment, renews bool) error {
	if d == nil || d.GlobalConcurrencyLimit == nil || !d.GlobalConcurrencyLimit.Active {
		return nil
	}
	// One of an earlier attempt would speak for this one.
	if err := tx.DeleteDeploymentLease(ctx, run.ID); err != nil || !renews {
		return err
	}
	now := s.now()
	return tx.PutSlotLease(ctx, &core.SlotLease{
		ID: core.NewID(), Created: now, Expires: now.Add(core.Seconds(defaultSlotLease).Duration()), Slots: 1,
		Limits: []core.UUID{d.GlobalConcurrencyLimit.ID}, Counted: true, HolderType: core.HoldsDeployment, HolderID: run.ID,
	})
}

// renewable checks a deployment's slot whose lease ran out: it is the run's
// again if nobody has taken it.
func (s *Limits) renewable(ctx context.Context, tx Tx, lease *core.SlotLease) error {
	run, err := tx.FlowRun(ctx, lease.HolderID)
	if err != nil {
		return err
	}
	if !rules.Occupies(run.StateType) {
		return core.NotFound("Lease")
	}
	if lease.Counted && run.StateType != core.Pending {
		return nil // it was never renewed, so the run held the slot itself
	}
	for _, id := range lease.Limits {
		l, err := tx.GlobalLimit(ctx, id)
		if err != nil {
			return err
		}
		if _, err := tx.LockGlobalLimits(ctx, []string{l.Name}); err != nil {
			return err
		}
		held, err := tx.SlotsHeld(ctx, id, s.now())
		if err != nil {
			return err
		}
		if held+DecayedSlots(l, s.now())+1 > l.Limit {
			return core.NotFound("Lease")
		}
	}
	return nil
}

// DeploymentLease is the lease that the client of a run in the state renews;
// zero if there is none.
func (s *Limits) DeploymentLease(ctx context.Context, st *core.State) (core.UUID, error) {
	if st == nil || !rules.Occupies(st.Type) {
		return core.UUID{}, nil
	}
	l, err := s.store.DeploymentLease(ctx, st.Details.FlowRunID)
	if core.IsNotFound(err) {
		return core.UUID{}, nil
	}
	if err != nil {
		return core.UUID{}, err
	}
	return l.ID, nil
}
