package db_test

import (
	"errors"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// eachStore runs a test on every engine, for what must be the same whether a
// statement is sent at once or later.
func eachStore(t *testing.T, test func(t *testing.T, s core.Store)) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			s, err := db.Open(t.Context(), e.URL(t))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			test(t, s)
		})
	}
}

// many is more transactions than a pool has connections: one that a failed
// transaction left broken would be met again.
const many = 20

func TestWriteThatFailsLate(t *testing.T) {
	eachStore(t, func(t *testing.T, s core.Store) {
		run := newRuns(t, s, 1)[0]
		for range many {
			err := s.Write(t.Context(), func(tx core.Tx) error {
				if err := tx.PutSetting(t.Context(), "k", core.JSON(`1`)); err != nil {
					return err
				}
				return tx.PutLease(t.Context(), &core.Lease{FlowRunID: core.NewID(), Holder: core.NewID(), Token: core.NewID(), Expires: 1})
			})
			if core.CodeOf(err) != core.EConflict || err.Error() != "Lease refers to something that does not exist" {
				t.Fatalf("a lease of no run: %v", err)
			}
		}
		if _, err := s.Setting(t.Context(), "k"); !core.IsNotFound(err) {
			t.Errorf("what was written before the failure is there: %v", err)
		}
		if got, err := s.FlowRun(t.Context(), run.ID); err != nil || got.StateType != core.Pending {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	})
}

func TestReadSeesWhatWasWrittenBefore(t *testing.T) {
	eachStore(t, func(t *testing.T, s core.Store) {
		run := newRuns(t, s, 1)[0]
		err := s.Write(t.Context(), func(tx core.Tx) error {
			run.State = core.StateCreate{Type: core.Running}.State(run.StateTimestamp + 1)
			if err := tx.SetFlowRunState(t.Context(), run); err != nil {
				return err
			}
			if err := tx.PutLease(t.Context(), &core.Lease{FlowRunID: run.ID, Holder: core.NewID(), Token: core.NewID(), Expires: 1}); err != nil {
				return err
			}
			got, err := tx.FlowRun(t.Context(), run.ID)
			if err != nil || got.StateType != core.Running {
				t.Errorf("within the transaction: %v, %v", got, err)
			}
			if _, err := tx.Lease(t.Context(), run.ID); err != nil {
				t.Errorf("within the transaction: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.FlowRun(t.Context(), run.ID); err != nil || got.StateType != core.Running {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	})
}

func TestCallerTakesAWriteBack(t *testing.T) {
	eachStore(t, func(t *testing.T, s core.Store) {
		run := newRuns(t, s, 1)[0]
		enough := errors.New("enough")
		write := func(tx core.Tx) error {
			run.State = core.StateCreate{Type: core.Running}.State(run.StateTimestamp + 1)
			return tx.SetFlowRunState(t.Context(), run)
		}
		for range many {
			err := s.Write(t.Context(), func(tx core.Tx) error { return errors.Join(write(tx), enough) })
			if !errors.Is(err, enough) {
				t.Fatalf("got %v", err)
			}
			func() {
				defer func() { _ = recover() }()
				_ = s.Write(t.Context(), func(tx core.Tx) error {
					_ = write(tx)
					panic(enough)
				})
			}()
		}
		if got, err := s.FlowRun(t.Context(), run.ID); err != nil || got.StateType != core.Pending {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	})
}

func TestOnlyUnknownEventsAreFresh(t *testing.T) {
	eachStore(t, func(t *testing.T, s core.Store) {
		event := func() *core.Event {
			return &core.Event{ID: core.NewID(), Occurred: core.Now(), Event: "e", Resource: map[string]string{"prefect.resource.id": "x"}}
		}
		known, own := event(), event()
		var fresh []*core.Event
		insert := func(events ...*core.Event) {
			err := s.Write(t.Context(), func(tx core.Tx) (err error) {
				fresh, err = tx.InsertEvents(t.Context(), events)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		insert(known)
		other := event()
		insert(event(), known, other, known)
		if len(fresh) != 2 || fresh[1].ID != other.ID {
			t.Errorf("%d are fresh of two unknown ones and one that is known, twice", len(fresh))
		}
		if err := s.Write(t.Context(), func(tx core.Tx) error { return tx.AddEvents(t.Context(), []*core.Event{own}) }); err != nil {
			t.Fatal(err)
		}
		insert(own)
		if len(fresh) != 0 {
			t.Error("an event that was added is fresh")
		}
	})
}
