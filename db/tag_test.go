package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Runs with a tag are found by what stands in their rows, whichever way they are
// looked for: a rare tag's runs are looked up, those of a common tag asked, and a
// tag alone is counted by its index.
func TestTagsByTime(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx, url := t.Context(), e.URL(t)
			if err := db.Seed(ctx, url, db.SeedSize{FlowRuns: queries.CommonTag + 1000, TaskRuns: 2 * (queries.CommonTag + 1000), Days: 3}, func(string, int, int) {}); err != nil {
				t.Fatal(err)
			}
			s := open(t, url)
			defer s.Close()
			all, err := s.FlowRuns(ctx, core.Filters{}, core.Page{Sort: "EXPECTED_START_TIME_DESC", Limit: 2 * queries.CommonTag})
			if err != nil {
				t.Fatal(err)
			}
			mid := all[len(all)/2].ExpectedStartTime
			failed := &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Failed}}}
			tasks, err := s.TaskRuns(ctx, core.Filters{}, core.Page{Limit: 4 * queries.CommonTag})
			if err != nil {
				t.Fatal(err)
			}
			for _, tag := range []string{"prod", "team-data", "nobody"} {
				tags := &core.TagFilter{All: []string{tag}}
				tasksFound(t, s, all, tasks, tags)
				for _, f := range []core.FlowRunFilter{
					{Tags: tags},
					{Tags: tags, ExpectedStartTime: &core.TimeFilter{After: mid}},
					{Tags: tags, ExpectedStartTime: &core.TimeFilter{After: mid, Before: mid.Add(time.Hour)}},
					{Tags: tags, ExpectedStartTime: &core.TimeFilter{Before: mid}, State: failed},
					{Tags: tags, ExpectedStartTime: &core.TimeFilter{After: mid}, Operator: core.Or},
					{Tags: &core.TagFilter{Any: []string{tag}}, ExpectedStartTime: &core.TimeFilter{IsNull: core.Ptr(true)}},
				} {
					t.Run(fmt.Sprint(tag, " ", string(core.ToJSON(f))), func(t *testing.T) {
						foundByRow(t, s, all, f)
					})
				}
			}
		})
	}
}

// marked compares the marks of two filters with the runs that they are of.
func marked(t *testing.T, s core.Store, f core.Filters, runs []*core.FlowRun) {
	t.Helper()
	page := core.Page{Sort: "EXPECTED_START_TIME_DESC", Limit: 7}
	none := core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{core.NewID()}}}}
	marks, err := s.FlowRunMarks(t.Context(), []core.Filters{f, none, f}, page)
	if err != nil || len(marks) != 3 || len(marks[1]) != 0 || len(marks[0]) != min(7, len(runs)) || len(marks[2]) != len(marks[0]) {
		t.Fatalf("marks of %d runs: %v, %v", len(runs), marks, err)
	}
	for i, m := range marks[2] {
		if r := runs[i]; m.ID != r.ID || m.StateType != r.StateType || m.StateName != r.StateName || m.StartTime != r.StartTime || m.EndTime != r.EndTime {
			t.Errorf("mark %d is %+v, the run %+v", i, m, r)
		}
	}
}

// foundByRow compares what lists, counts and a history find with what f says of
// the rows of all runs.
func foundByRow(t *testing.T, s core.Store, all []*core.FlowRun, f core.FlowRunFilter) {
	t.Helper()
	ctx, tag := t.Context(), slices.Concat(f.Tags.All, f.Tags.Any)[0]
	due := f.ExpectedStartTime
	var want []core.UUID
	hours := map[core.Time]int64{}
	start, end := all[len(all)-1].ExpectedStartTime, all[0].ExpectedStartTime+1
	for _, r := range all {
		has := slices.Contains(r.Tags, tag)
		in := due == nil || due.IsNull == nil && r.ExpectedStartTime >= due.After && (due.Before == 0 || r.ExpectedStartTime <= due.Before)
		if f.Operator == core.Or && (has || in) || has && in && (f.State == nil || r.StateType == core.Failed) {
			want = append(want, r.ID)
			hours[(r.ExpectedStartTime-start)/core.Time(time.Hour/time.Microsecond)]++
		}
	}
	filters := core.Filters{FlowRuns: &f}
	runs, err := s.FlowRuns(ctx, filters, core.Page{Sort: "EXPECTED_START_TIME_DESC", Limit: 2 * queries.CommonTag})
	if err != nil {
		t.Fatal(err)
	}
	got := []core.UUID{}
	for _, r := range runs {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d runs of %d", len(got), len(want))
	}
	marked(t, s, filters, runs)
	if n, err := s.CountFlowRuns(ctx, filters); err != nil || n != int64(len(want)) {
		t.Errorf("count %d of %d, %v", n, len(want), err)
	}
	if n, err := s.CountFlowRunsUpTo(ctx, filters, 50); err != nil || n != int64(min(50, len(want))) {
		t.Errorf("count up to 50: %d of %d, %v", n, len(want), err)
	}
	buckets, err := s.FlowRunHistory(ctx, core.HistoryQuery{Filters: filters, Start: start, End: end, Interval: 3600})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range buckets {
		n := int64(0)
		for _, st := range b.States {
			n += st.Count
		}
		if n != hours[core.Time(i)] {
			t.Errorf("hour %d: %d of %d", i, n, hours[core.Time(i)])
		}
	}
}

// tasksFound compares the task runs that are found by a tag of their flow runs.
func tasksFound(t *testing.T, s core.Store, runs []*core.FlowRun, tasks []*core.TaskRun, tags *core.TagFilter) {
	t.Helper()
	ids := map[core.UUID]bool{}
	for _, r := range runs {
		ids[r.ID] = slices.Contains(r.Tags, tags.All[0])
	}
	var want int64
	for _, x := range tasks {
		if ids[x.FlowRunID] {
			want++
		}
	}
	n, err := s.CountTaskRuns(t.Context(), core.Filters{FlowRuns: &core.FlowRunFilter{Tags: tags}})
	if err != nil || n != want {
		t.Errorf("%v: %d task runs of %d, %v", tags.All, n, want, err)
	}
}
