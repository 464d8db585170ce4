package orchestrate

import (
	"context"
	"strings"
	"sync"
	"time"

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
	for id, until := range l.until {
		switch {
		case until < now:
			delete(l.until, id)
		case speaksOf(e, id):
			delete(l.until, id)
			back = append(back, id)
		}
	}
	return back
}

func speaksOf(e *core.Event, id core.UUID) bool {
	suffix := "-run." + id.String()
	if strings.HasSuffix(e.ResourceID(), suffix) {
		return true
	}
	for _, r := range e.Related {
		if strings.HasSuffix(r["prefect.resource.id"], suffix) {
			return true
		}
	}
	return false
}

// HearOfSlots notes what events of a client's connection say of slots that
// were taken without a lease: who holds them, and that a lost holder is back.
// It says whether the client holds any.
func (s *Service) HearOfSlots(ctx context.Context, clientID core.UUID, events []*core.Event) (holds bool, err error) {
	for _, e := range events {
		if strings.HasPrefix(e.Event, "prefect.concurrency-limit.") && strings.HasSuffix(e.Event, "acquired") {
			holds = true
			if err := s.claimSlots(ctx, clientID, e); err != nil {
				return holds, err
			}
		}
		for _, id := range s.lost.heard(e, s.now()) {
			err := s.write(ctx, func(tx core.Tx, _ *outbox) error {
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

// claimSlots gives the slots that an event says were taken to its sender: of
// v1, the task run's; else the youngest that nobody has claimed.
func (s *Service) claimSlots(ctx context.Context, clientID core.UUID, e *core.Event) error {
	id := e.ResourceID()
	limitID, err := core.ParseUUID(id[strings.LastIndexByte(id, '.')+1:])
	if err != nil {
		return nil
	}
	holderType, holderID := holderIn(e)
	return s.write(ctx, func(tx core.Tx, _ *outbox) error {
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
func (s *Service) LoseClient(ctx context.Context, clientID core.UUID) error {
	until := s.now().Add(lostGrace)
	var holders []core.UUID
	err := s.write(ctx, func(tx core.Tx, _ *outbox) (err error) {
		holders, err = tx.LoseSlotLeases(ctx, clientID, until)
		return err
	})
	if err == nil {
		s.lost.add(holders, until)
	}
	return err
}
