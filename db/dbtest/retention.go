package dbtest

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// retentions: what is old is found and goes with all that is its own, little
// by little; what is young, live, or part of what is there, stays.
func retentions(s *suite) {
	f, before := s.flow("f"), s.now+1e6
	ended := func(r *core.FlowRun) { r.EndTime = s.now }
	old := s.newRun(f, core.Completed, ended)
	younger := s.newRun(f, core.Completed, func(r *core.FlowRun) { r.EndTime = before })
	s.newRun(f, core.Running, nil)
	s.newRun(f, core.Failed, ended)
	task := func(flowRun core.UUID, key string) *core.TaskRun {
		t := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: key, TaskKey: key, DynamicKey: "0", State: s.state(core.Completed), EndTime: s.now}
		if !flowRun.IsZero() {
			t.FlowRunID = flowRun
		}
		s.write(func(tx core.Tx) error { _, err := tx.InsertTaskRun(s.ctx, t); return err })
		return t
	}
	var tasks []*core.TaskRun
	for i := range 5 {
		tasks = append(tasks, task(old.ID, fmt.Sprint("t", i)))
	}
	part := s.newRun(f, core.Completed, func(r *core.FlowRun) { r.EndTime, r.ParentTaskRunID = s.now, tasks[0].ID })
	alone := task(core.UUID{}, "alone")
	kept := task(younger.ID, "kept")
	latest := &core.Artifact{ID: core.NewID(), Created: s.now, Updated: s.now, Key: core.Ptr("k"), FlowRunID: younger.ID, TaskRunID: kept.ID, Data: core.JSON(`1`)}
	s.write(func(tx core.Tx) error {
		var logs []*core.Log
		for _, of := range [][2]core.UUID{{old.ID}, {old.ID, tasks[1].ID}, {old.ID}, {old.ID}, {younger.ID}, {{}, alone.ID}, {{}, alone.ID}} {
			logs = append(logs, &core.Log{Name: "n", Level: 20, Message: "m", Timestamp: s.now, FlowRunID: of[0], TaskRunID: of[1]})
		}
		errs := []error{tx.InsertLogs(s.ctx, logs), tx.InsertArtifact(s.ctx, latest)}
		for i, of := range [][2]core.UUID{{old.ID}, {old.ID, tasks[2].ID}, {{}, alone.ID}} {
			a := &core.Artifact{ID: core.NewID(), Created: s.now + core.Time(i+1), Updated: s.now, Key: core.Ptr("k"), FlowRunID: of[0], TaskRunID: of[1], Data: core.JSON(`2`)}
			errs = append(errs, tx.InsertArtifact(s.ctx, a))
		}
		for i := range int64(4) {
			_, err := tx.AppendStream(s.ctx, old.ID, "k"+string(rune('0'+i%2)), s.now, core.StreamAppend{Ordinal: i, Value: core.JSON(`1`)})
			_, failed := tx.SetFlowRunStatus(s.ctx, old.ID, "k", s.now, core.StatusSet{Source: strconv.FormatInt(i, 10), Value: core.JSON(`1`)})
			errs = append(errs, err, failed)
		}
		return errors.Join(append(errs, tx.InsertFlowRunInput(s.ctx, &core.FlowRunInput{ID: core.NewID(), Created: s.now, Updated: s.now, FlowRunID: old.ID, Key: "i", Value: "{}"}))...)
	})

	found := must(s.EndedFlowRuns(s.ctx, core.Completed, before, core.EndedFlowRun{}, 10))(s)
	s.eq(len(found), 1)
	s.eq(found[0].ID, old.ID)
	s.eq(len(must(s.EndedFlowRuns(s.ctx, core.Completed, before, found[0], 10))(s)), 0)
	s.eq(len(must(s.EndedFlowRuns(s.ctx, core.Failed, before, core.EndedFlowRun{}, 10))(s)), 1)
	s.eq(must(s.EndedTaskRuns(s.ctx, before, core.UUID{}, 10))(s), []core.UUID{alone.ID})
	s.eq(len(must(s.EndedTaskRuns(s.ctx, before, alone.ID, 10))(s)), 0)

	trim := func(one func(tx core.Tx) (int, bool, error), want int) {
		s.Helper()
		steps, done := 0, false
		for ; !done; steps++ {
			s.write(func(tx core.Tx) error {
				n, d, err := one(tx)
				if done = d; err == nil && (n > 6 || n == 0) {
					err = fmt.Errorf("%d rows at once", n)
				}
				return err
			})
		}
		s.eq(steps, want)
	}
	trim(func(tx core.Tx) (int, bool, error) { return tx.TrimFlowRun(s.ctx, old.ID, 3) }, 8)
	trim(func(tx core.Tx) (int, bool, error) { return tx.TrimTaskRun(s.ctx, alone.ID, 2) }, 2)
	_, err := s.FlowRun(s.ctx, old.ID)
	s.code(err, core.ENotFound)
	_, err = s.TaskRun(s.ctx, alone.ID)
	s.code(err, core.ENotFound)
	s.eq(must(s.CountLogs(s.ctx, nil))(s), 1)
	s.eq(must(s.CountTaskRuns(s.ctx, core.Filters{}))(s), 1)
	s.eq(must(s.CountArtifacts(s.ctx, nil))(s), 1)
	s.eq(must(s.ArtifactCollection(s.ctx, "k"))(s).LatestID, latest.ID)
	s.code(s.Write(s.ctx, func(tx core.Tx) error { _, _, err := tx.TrimFlowRun(s.ctx, old.ID, 3); return err }), core.ENotFound)
	// What was part of it stands alone now.
	s.eq(must(s.EndedFlowRuns(s.ctx, core.Completed, before, core.EndedFlowRun{}, 10))(s)[0].ID, part.ID)

	last, n, err := s.LogsUpTo(s.ctx, core.Now()+1e6, 0, 10)
	s.ok(err)
	s.eq(n, 1)
	s.write(func(tx core.Tx) error {
		none, err := tx.DeleteLogs(s.ctx, 1, 0, last)
		s.eq(none, 0)
		one, err2 := tx.DeleteLogs(s.ctx, core.Now()+1e6, 0, last)
		s.eq(one, 1)
		return errors.Join(err, err2)
	})
}
