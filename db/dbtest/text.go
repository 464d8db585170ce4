package dbtest

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// texts: what no engine of ours can store is replaced on the way in, in every
// text and JSON, and what was stored is found by the text that it was stored by.
func texts(s *suite) {
	const bad, good = "a\x00b\xff", "a\uFFFDb\uFFFD"
	badJSON, goodJSON := core.JSON(`{"k\u0000":["\ud800","\ud83d\ude00"]}`), `{"k\ufffd":["\ufffd","😀"]}`
	same := func(what string, got core.JSON, want string) {
		s.Helper()
		if string(core.ToJSON(got.Map())) != string(core.ToJSON(core.JSON(want).Map())) {
			s.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	f := s.flow(bad, bad)
	s.eq(f.Name, good)
	s.eq(f.Tags, core.Tags{good})
	s.eq(must(s.FlowByName(s.ctx, bad))(s).ID, f.ID)
	s.eq(must(s.CountFlows(s.ctx, core.Filters{Flows: &core.FlowFilter{Name: &core.TextFilter{Any: []string{bad}}}}))(s), 1)
	run := s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
		r.Name, r.IdempotencyKey, r.Tags, r.Parameters, r.Labels = bad, core.Ptr(bad), core.Tags{bad}, badJSON, badJSON
		r.State.Message, r.State.Data, r.State.Name = core.Ptr(bad), badJSON, bad
	})
	got := must(s.FlowRunByKey(s.ctx, f.ID, bad))(s)
	s.eq(got.ID, run.ID)
	s.eq([]string{got.Name, got.StateName, *got.State.Message, *got.IdempotencyKey}, []string{good, good, good, good})
	same("parameters", got.Parameters, goodJSON)
	same("labels", got.Labels, goodJSON)
	same("data", got.State.Data, goodJSON)
	s.eq(must(s.CountFlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{All: []string{bad}}}}))(s), 1)
	task := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: bad, FlowRunID: run.ID, TaskKey: bad, DynamicKey: bad, TaskInputs: badJSON}
	running, failed := s.state(core.Running), s.state(core.Failed)
	failed.Message = core.Ptr(bad)
	s.write(func(tx core.Tx) error {
		return tx.RecordTaskRun(s.ctx, &core.TaskRunReport{TaskRun: task, States: []*core.State{running, failed}})
	})
	s.eq(*must(s.TaskRunByKey(s.ctx, run.ID, bad, bad))(s).State.Message, good)
	e := &core.Event{ID: core.NewID(), Occurred: s.now, Event: bad, Payload: badJSON,
		Resource: map[string]string{"prefect.resource.id": bad, bad: bad, `q"\` + bad: "v"}, Related: []map[string]string{{"prefect.resource.id": bad, "prefect.resource.role": bad}}}
	s.write(func(tx core.Tx) error { _, err := tx.InsertEvents(s.ctx, []*core.Event{e}); return err })
	for label, value := range map[string]string{bad: bad, `q"\` + bad: "v"} {
		events := must(s.Events(s.ctx, &core.EventFilter{Resource: &core.EventResource{Labels: map[string]any{label: value}}}, core.Page{}))(s)
		s.eq(len(events), 1)
		s.eq(events[0].Event, good)
		same("payload", events[0].Payload, goodJSON)
	}
	s.write(func(tx core.Tx) error {
		return tx.InsertLogs(s.ctx, []*core.Log{{Name: bad, Message: bad, Timestamp: s.now}, {Name: "n", Message: "m", Timestamp: s.now}})
	})
	s.eq(must(s.Logs(s.ctx, nil, core.Page{Sort: "TIMESTAMP_ASC"}))(s)[0].Message, good)
	// JSON that no client can read is refused, wherever it comes from.
	deep := core.JSON(strings.Repeat("[", core.MaxDepth+1) + strings.Repeat("]", core.MaxDepth+1))
	for _, j := range []core.JSON{deep, core.JSON(`1e999`)} {
		s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.PutSetting(s.ctx, "deep", j) }), core.EInvalid)
	}
}

// longFilters: a filter with more values than an engine takes is refused, the
// same way by both.
func longFilters(s *suite) {
	ids, words := make([]core.UUID, 40_000), make([]string, 40_000)
	for i := range ids {
		ids[i], words[i] = core.NewID(), "w"
	}
	count := func(f core.Filters) error { _, err := s.CountFlowRuns(s.ctx, f); return err }
	s.code(count(core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: ids}}}), core.EInvalid)
	s.ok(count(core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: ids[:5_000]}}}))
	s.ok(count(core.Filters{FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{All: words[:20]}}}))
	s.code(count(core.Filters{FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{All: words[:400]}}}), core.EInvalid)
	for _, n := range []int{400, 40_000} {
		want := core.Code("")
		if n > 500 {
			want = core.EInvalid
		}
		s.code(count(core.Filters{FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{Any: words[:n]}}}), want)
		_, err := s.Events(s.ctx, &core.EventFilter{Event: &core.EventName{Prefix: words[:n]}}, core.Page{})
		s.code(err, want)
		_, err = s.Events(s.ctx, &core.EventFilter{Resource: &core.EventResource{Labels: map[string]any{"": ""}}}, core.Page{})
		s.ok(err)
	}
}
