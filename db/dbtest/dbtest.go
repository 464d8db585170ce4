// Package dbtest is the conformance suite of core.Store: every engine must
// pass Run.
package dbtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

type suite struct {
	*testing.T
	core.Store
	ctx context.Context
	now core.Time

	filled int // counts the values that fill made
}

// Run puts an empty store, made by open for each test, through the port.
func Run(t *testing.T, open func(t *testing.T) core.Store) {
	for name, f := range map[string]func(*suite){
		"Flow": flows, "FlowRun": flowRuns, "Many": many, "TaskRun": taskRuns, "TaskRunsByEnd": taskRunsByEnd, "Deployment": deployments, "WorkPool": workPools, "LogAndEvent": logsAndEvents, "LogFollowed": logFollowed, "TaskQueue": taskQueue, "SavedSearch": savedSearches, "Artifact": artifacts, "ArtifactOf": artifactsOf, "DistinctEvent": distinctEvents, "Variable": variables, "Block": blocks, "Limit": limits, "Write": writes, "Filters": filters, "History": histories, "Cursor": cursors, "Lock": locks, "LockLease": lockLease, "Automation": automations, "AutomationWork": automationWork, "Facts": facts, "Text": texts, "LongFilter": longFilters, "Retention": retentions, "Exact": exact, "LogsAsShown": logsAsShown, "Search": searches, "Claimable": claimables, "Priority": priorities, "Unleased": unleased, "EveryField": everyField,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			f(&suite{T: t, Store: s, ctx: t.Context(), now: core.Now()})
		})
	}
}

func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) code(err error, want core.Code) {
	s.Helper()
	if core.CodeOf(err) != want {
		s.Fatalf("error %v, want %s", err, want)
	}
}

func (s *suite) eq(got, want any) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Fatalf("got %v, want %v", got, want)
	}
}

func (s *suite) write(fn func(tx core.Tx) error) {
	s.Helper()
	s.ok(s.Write(s.ctx, fn))
}

func must[T any](v T, err error) func(s *suite) T {
	return func(s *suite) T { s.Helper(); s.ok(err); return v }
}

func (s *suite) flow(name string, tags ...string) *core.Flow {
	f := &core.Flow{ID: core.NewID(), Created: s.now, Updated: s.now, Name: name, Tags: tags}
	s.write(func(tx core.Tx) (err error) { f, _, err = tx.UpsertFlow(s.ctx, f); return err })
	return f
}

func (s *suite) state(t core.StateType) *core.State {
	s.now += 1000
	return core.StateCreate{Type: t}.State(s.now)
}

func (s *suite) newRun(f *core.Flow, t core.StateType, set func(r *core.FlowRun)) *core.FlowRun {
	s.Helper()
	r := &core.FlowRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "run", FlowID: f.ID, ExpectedStartTime: s.now, State: s.state(t)}
	if t == core.Scheduled {
		r.NextScheduledStartTime = s.now
	}
	if set != nil {
		set(r)
	}
	s.write(func(tx core.Tx) error { _, err := tx.InsertFlowRun(s.ctx, r); return err })
	return r
}

func facts(s *suite) {
	f := must(s.Facts(s.ctx))(s)
	if f.Location == "" || strings.Contains(f.Location, "@") || f.Bytes < 4096 || f.Version < 6 {
		s.Fatalf("%+v", f)
	}
}

func flows(s *suite) {
	f := s.flow("etl", "a")
	s.write(func(tx core.Tx) error {
		stored, created, err := tx.UpsertFlow(s.ctx, &core.Flow{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "etl"})
		s.eq(created, false)
		s.eq(stored.ID, f.ID)
		return err
	})
	f.Tags = core.Tags{"b", "c"}
	s.write(func(tx core.Tx) error { return tx.UpdateFlow(s.ctx, f) })
	s.eq(must(s.Flow(s.ctx, f.ID))(s).Tags, core.Tags{"b", "c"})
	s.eq(must(s.FlowByName(s.ctx, "etl"))(s).ID, f.ID)
	s.flow("other")
	for _, sort := range core.FlowSorts {
		s.eq(len(must(s.Flows(s.ctx, core.Filters{}, core.Page{Sort: sort}))(s)), 2)
	}
	s.eq(must(s.CountFlows(s.ctx, core.Filters{}))(s), 2)
	s.write(func(tx core.Tx) error { return tx.DeleteFlow(s.ctx, f.ID) })
	_, err := s.Flow(s.ctx, f.ID)
	s.code(err, core.ENotFound)
}

func flowRuns(s *suite) {
	f := s.flow("f")
	r := s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
		r.IdempotencyKey = core.Ptr("k")
		r.Tags = core.Tags{"x"}
		r.Parameters = core.JSON(`{"a": 1}`)
	})
	s.write(func(tx core.Tx) error {
		again := *r
		again.ID = core.NewID()
		ok, err := tx.InsertFlowRun(s.ctx, &again)
		s.eq(ok, false)
		return err
	})
	got := must(s.FlowRunByKey(s.ctx, f.ID, "k"))(s)
	s.eq(got.ID, r.ID)
	s.eq(got.State.Type, core.Scheduled)
	s.write(func(tx core.Tx) error {
		x, err := tx.LockFlowRun(s.ctx, r.ID)
		if err != nil {
			return err
		}
		x.State, x.RunCount, x.StartTime = s.state(core.Running), 1, s.now
		if err := tx.SetFlowRunState(s.ctx, x); err != nil {
			return err
		}
		x.Name, x.Tags = "renamed", core.Tags{"y"}
		return tx.UpdateFlowRun(s.ctx, x)
	})
	got = must(s.FlowRun(s.ctx, r.ID))(s)
	s.eq(got.Name, "renamed")
	s.eq(got.StateType, core.Running)
	s.eq(got.State.ID, got.StateID)
	s.eq(len(must(s.FlowRunStates(s.ctx, r.ID))(s)), 2)
	s.eq(must(s.FlowRunState(s.ctx, got.StateID))(s).Name, "Running")
	for _, sort := range core.FlowRunSorts {
		s.eq(len(must(s.FlowRuns(s.ctx, core.Filters{}, core.Page{Sort: sort}))(s)), 1)
	}
	late := must(s.FlowRunLateness(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{r.ID}}}}))(s)
	if late == nil || *late < 0 {
		s.Fatalf("lateness %v", late)
	}
	if none := must(s.FlowRunLateness(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{core.NewID()}}}}))(s); none != nil {
		s.Fatalf("lateness of no run: %v", *none)
	}
	h := must(s.FlowRunHistory(s.ctx, core.HistoryQuery{Start: r.ExpectedStartTime - 5e6, End: r.ExpectedStartTime + 5e6, Interval: 1}))(s)
	s.eq(len(h), 10)
	s.eq(h[5].States[0].Count, 1)
	in := &core.FlowRunInput{ID: core.NewID(), Created: s.now, Updated: s.now, FlowRunID: r.ID, Key: "p-1", Value: "v"}
	s.write(func(tx core.Tx) error { return tx.InsertFlowRunInput(s.ctx, in) })
	in2 := *in
	in2.ID = core.NewID()
	s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.InsertFlowRunInput(s.ctx, &in2) }), core.EConflict)
	s.eq(len(must(s.FlowRunInputs(s.ctx, r.ID, "p-", nil, 0))(s)), 1)
	s.eq(len(must(s.FlowRunInputs(s.ctx, r.ID, "p-", []string{"p-1"}, 0))(s)), 0)
	s.messages(r)
	for _, a := range []core.StreamAppend{{Source: "a", Ordinal: 0, Value: core.JSON(`1`)}, {Source: "a", Ordinal: 1, Value: core.JSON(`{"b": 1}`)},
		{Source: "b", Ordinal: 0, Value: core.JSON(`3`)}, {Source: "a", Ordinal: 1, Value: core.JSON(`4`)}} {
		s.write(func(tx core.Tx) error {
			n, err := tx.AppendStream(s.ctx, r.ID, "k", s.now, a)
			if string(a.Value) == "4" {
				s.eq(n, 2) // of the first time
			}
			return err
		})
	}
	s.eq(must(s.Streams(s.ctx, r.ID))(s), []core.StreamInfo{{Key: "k", Entries: 3}})
	s.eq(len(must(s.StreamEntries(s.ctx, r.ID, "k", 1, 2))(s)), 2)
	s.eq(len(must(s.StreamEntries(s.ctx, r.ID, "other", 1, 2))(s)), 0)
	s.eq(*must(s.StreamEntries(s.ctx, r.ID, "k", 2, 10))(s)[0], core.StreamEntry{Number: 2, Created: s.now, Value: core.JSON(`{"b": 1}`)})
	s.code(s.Write(s.ctx, func(tx core.Tx) error {
		_, err := tx.AppendStream(s.ctx, r.ID, strings.Repeat("k", 501), s.now, core.StreamAppend{})
		return err
	}), core.EInvalid)
	s.statuses(r)
	s.webhooks(r)
	l := &core.Lease{FlowRunID: r.ID, Holder: core.NewID(), Worker: "w", Token: core.NewID(), Expires: s.now}
	s.write(func(tx core.Tx) error { return tx.PutLease(s.ctx, l) })
	s.eq(len(must(s.ExpiredLeases(s.ctx, s.now+1, 10))(s)), 1)
	s.write(func(tx core.Tx) error {
		ids, err := tx.RenewLeases(s.ctx, l.Holder, s.now+1e9)
		s.eq(ids, []core.UUID{r.ID})
		return err
	})
	s.eq(must(s.Lease(s.ctx, r.ID))(s).Token, l.Token)
	s.eq(len(must(s.ExpiredLeases(s.ctx, s.now+1, 10))(s)), 0)
	s.eq(len(must(s.CancellingOf(s.ctx, l.Holder))(s)), 0)
	s.newRun(f, core.Scheduled, nil)
	s.eq(len(must(s.LateFlowRuns(s.ctx, s.now, 10))(s)), 1)
	s.newRun(f, core.Paused, func(r *core.FlowRun) { r.State.Details.PauseTimeout = s.now })
	s.eq(len(must(s.PausedPast(s.ctx, s.now, 10))(s)), 1)
	s.write(func(tx core.Tx) error { return tx.DeleteFlowRun(s.ctx, r.ID) })
	_, err := s.Lease(s.ctx, r.ID)
	s.code(err, core.ENotFound)
}

func taskRuns(s *suite) {
	r := s.newRun(s.flow("f"), core.Running, nil)
	t := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "t", FlowRunID: r.ID, TaskKey: "t", DynamicKey: "0", ExpectedStartTime: s.now}
	report := &core.TaskRunReport{TaskRun: t, States: []*core.State{s.state(core.Pending), s.state(core.Running), s.state(core.Completed)}}
	for range 2 {
		s.write(func(tx core.Tx) error { return tx.RecordTaskRun(s.ctx, report) })
	}
	got := must(s.TaskRun(s.ctx, t.ID))(s)
	s.eq(got.StateType, core.Completed)
	s.eq(len(must(s.TaskRunStates(s.ctx, t.ID))(s)), 3)
	late := *report
	late.States = late.States[:1]
	s.write(func(tx core.Tx) error { return tx.RecordTaskRun(s.ctx, &late) })
	s.eq(must(s.TaskRunByKey(s.ctx, r.ID, "t", "0"))(s).StateType, core.Completed)
	lost := *t
	lost.ID, lost.FlowRunID = core.NewID(), core.NewID()
	s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.RecordTaskRun(s.ctx, &core.TaskRunReport{TaskRun: &lost}) }), core.EConflict)
	part := &core.TaskRunReport{TaskRun: &core.TaskRun{ID: t.ID, Name: "new name"}, Fields: map[string]bool{"name": true}}
	s.write(func(tx core.Tx) error { return tx.RecordTaskRun(s.ctx, part) })
	got = must(s.TaskRun(s.ctx, t.ID))(s)
	s.eq(got.Name, "new name")
	s.eq(got.TaskKey, "t")
	s.eq(got.StateType, core.Completed)
	s.eq(len(must(s.TaskRunsOf(s.ctx, r.ID, core.UUID{}, 0))(s)), 1)
	s.eq(len(must(s.TaskRunsOf(s.ctx, r.ID, t.ID, 0))(s)), 0)
	for _, sort := range core.TaskRunSorts {
		s.eq(len(must(s.TaskRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{r.ID}}}}, core.Page{Sort: sort}))(s)), 1)
	}
	must(s.TaskRunHistory(s.ctx, core.HistoryQuery{Start: s.now - 1e7, End: s.now + 1e7, Interval: 5}))(s)
	child := s.newRun(&core.Flow{ID: r.FlowID}, core.Running, func(c *core.FlowRun) { c.ParentTaskRunID = t.ID })
	s.eq(must(s.FlowRunChildren(s.ctx, r.ID))(s)[0].ID, child.ID)
	kids := must(s.FlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{ParentFlowRunID: &core.IDFilter{Any: []core.UUID{r.ID}}}}, core.Page{}))(s)
	s.eq(len(kids), 1)
	s.write(func(tx core.Tx) error {
		x, err := tx.LockTaskRun(s.ctx, t.ID)
		if err != nil {
			return err
		}
		x.State = s.state(core.Failed)
		return errors.Join(tx.SetTaskRunState(s.ctx, x), tx.UpdateTaskRun(s.ctx, x), tx.PutCachedState(s.ctx, "key", x.State))
	})
	s.eq(must(s.CachedState(s.ctx, "key", s.now))(s).Type, core.Failed)
	s.write(func(tx core.Tx) error { return tx.DeleteTaskRun(s.ctx, t.ID) })
	taskDurations(s)
}

// taskDurations: a run that goes on is as long as it has been running.
func taskDurations(s *suite) {
	r := s.newRun(s.flow("durations"), core.Running, nil)
	var made []core.UUID
	for i, at := range []struct {
		state core.StateType
		since time.Duration // the state began so long ago
		took  float64
	}{{core.Completed, time.Hour, 5}, {core.Running, time.Minute, 1}, {core.Completed, time.Hour, 900}, {core.Pending, time.Hour, 0}} {
		state := core.StateCreate{Type: at.state}.State(core.Now().Add(-at.since))
		t := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "t", FlowRunID: r.ID, TaskKey: "t",
			DynamicKey: strconv.Itoa(i), ExpectedStartTime: s.now, TotalRunTime: at.took, State: state}
		made = append(made, t.ID)
		s.write(func(tx core.Tx) error {
			return tx.RecordTaskRun(s.ctx, &core.TaskRunReport{TaskRun: t, States: []*core.State{state}})
		})
	}
	want := []core.UUID{made[2], made[1], made[0], made[3]}
	of := core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{r.ID}}}}
	for _, sort := range []string{"DURATION_DESC", "DURATION_ASC"} {
		var got []core.UUID
		for _, t := range must(s.TaskRuns(s.ctx, of, core.Page{Sort: sort}))(s) {
			got = append(got, t.ID)
		}
		s.eq(got, want)
		slices.Reverse(want)
	}
}

func writes(s *suite) {
	boom := errors.New("boom")
	err := s.Write(s.ctx, func(tx core.Tx) error {
		f := &core.Flow{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "undone"}
		if _, _, err := tx.UpsertFlow(s.ctx, f); err != nil {
			return err
		}
		if _, err := tx.FlowByName(s.ctx, "undone"); err != nil {
			return err // a transaction reads its own writes
		}
		return boom
	})
	if !errors.Is(err, boom) {
		s.Fatal(err)
	}
	_, err = s.FlowByName(s.ctx, "undone")
	s.code(err, core.ENotFound)
	func() {
		defer func() { s.eq(recover() != nil, true) }()
		_ = s.Write(s.ctx, func(core.Tx) error { panic("in fn") })
	}()
	s.ok(s.Ping(s.ctx))
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	cancel()
	if err := s.Write(ctx, func(core.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		s.Fatal(err)
	}
	s.write(func(tx core.Tx) error { return tx.PutSetting(s.ctx, "a", core.JSON(`1`)) })
	s.eq(string(must(s.Setting(s.ctx, "a"))(s)), "1")
}
