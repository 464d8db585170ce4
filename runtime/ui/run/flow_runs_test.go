package run_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

var rowOf = regexp.MustCompile(`<tr id="r-([0-9a-f-]{36})"`)

func rowIDs(body string) (ids []string) {
	for _, m := range rowOf.FindAllStringSubmatch(body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// Next goes through every run once and in order, Previous the same way back,
// in each order, also where some were due before the span.
func TestRunsPaging(t *testing.T) {
	h := uitest.Open(t)
	now := core.Now()
	for i := range 120 {
		due := now.Add(-time.Duration(i/2) * time.Minute) // two at the same time
		if i >= 110 {
			due = now.Add(-time.Duration(10*24+i) * time.Hour)
		}
		h.Finished(h.Adder, due, now.Add(-time.Duration(i)*time.Second), core.Completed)
	}
	for _, sort := range []string{"", "oldest", "ended", "name", "name_desc"} {
		want := 120
		if strings.HasPrefix(sort, "name") {
			want = 110 // by name the span is that of when they were due
		}
		at := "/runs?range=7d&sort=" + sort
		var pages [][]string
		var all []string
		for at != "" && len(pages) < 9 {
			_, body := h.Get(at)
			pages = append(pages, rowIDs(body))
			all = append(all, rowIDs(body)...)
			if next := uitest.Link(t, body, "next"); next != "" {
				at = next
				continue
			}
			for i := len(pages) - 2; i >= 0; i-- {
				prev := uitest.Link(t, body, "prev")
				if prev == "" {
					t.Fatalf("%q: page %d has no way back", sort, i+2)
				}
				_, body = h.Get(prev)
				if got := rowIDs(body); !slices.Equal(got, pages[i]) {
					t.Errorf("%q: back on page %d there are %d rows, not those of before", sort, i+1, len(got))
				}
			}
			break
		}
		seen := slices.Clone(all)
		slices.Sort(seen)
		if len(slices.Compact(seen)) != want || len(all) != want || len(pages) != 3 {
			t.Errorf("%q: %d rows, %d different, %d pages; want %d in 3", sort, len(all), len(slices.Compact(seen)), len(pages), want)
		}
		for i := 1; i < len(all); i++ {
			a, b := h.Run(h.ID(all[i-1])), h.Run(h.ID(all[i]))
			if !map[string]bool{
				"": a.ExpectedStartTime >= b.ExpectedStartTime, "oldest": a.ExpectedStartTime <= b.ExpectedStartTime, "ended": a.EndTime >= b.EndTime,
				"name": a.Name <= b.Name, "name_desc": a.Name >= b.Name,
			}[sort] {
				t.Fatalf("%q: row %d is out of order", sort, i)
			}
		}
	}
}

// A run counts by when it ended, and one that has not ended always.
func TestRunsOfASpan(t *testing.T) {
	h := uitest.Open(t)
	now := core.Now()
	day := 24 * time.Hour
	old := h.Finished(h.Adder, now.Add(-10*day), now.Add(-time.Hour), core.Failed)
	gone := h.Finished(h.Adder, now.Add(-10*day), now.Add(-9*day), core.Failed)
	h.At(now.Add(-20 * day))
	live := h.Create(h.ETL, "")
	h.Act(live.ID)
	h.At(0)
	for query, want := range map[string][]*core.FlowRun{
		"range=7d": {old, live}, "range=7d&state=failed": {old}, "range=7d&state=running": {live}, "range=7d&state=completed": {}, "range=all": {old, gone, live},
		"range=7d&sort=ended": {old}, "range=all&flow=etl": {live}, "range=all&deployment=" + h.ETL.ID.String(): {live}, "range=all&tag=warehouse": {live},
		"range=all&q=" + old.Name: {old}, "range=all&q=" + gone.ID.String(): {gone}, "range=all&pool=default&state=failed": {old, gone}, "range=all&pool=none": {},
		"from=" + now.Add(-10*day-time.Hour).String() + "&to=" + now.Add(-9*day).String():          {old, gone, live},
		"range=custom&from=" + now.Add(-2*day).Time().Format("2006-01-02T15:04") + "&state=failed": {old},
	} {
		_, body := h.Get("/runs?" + query)
		got := rowIDs(body)
		slices.Sort(got)
		ids := []string{}
		for _, r := range want {
			ids = append(ids, r.ID.String())
		}
		slices.Sort(ids)
		if !slices.Equal(got, ids) && len(got)+len(ids) > 0 {
			t.Errorf("%s: %d rows, want %d", query, len(got), len(ids))
		}
		uitest.Contains(t, body, fmt.Sprintf("<h2>%d run", len(want)))
	}
	for _, bad := range []string{"from=yesterday", "range=custom&from=2026-02-02T00:00&to=2026-01-01T00:00"} {
		if code, _ := h.Get("/runs?" + bad); code != 422 {
			t.Errorf("%s: %d", bad, code)
		}
	}
}

func TestSubflowFilters(t *testing.T) {
	h := uitest.Open(t)
	parent := h.Create(h.ETL, "")
	ctx := h.Act(parent.ID)
	task := h.Task(ctx, parent.ID, "child", 0, h.Now(), 0, core.Running)
	child, err := h.Service.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: h.Adder.FlowID, ParentTaskRunID: task, State: &core.StateCreate{Type: core.Running}})
	h.Check(err)
	for query, want := range map[string]string{"subflows=without": parent.ID.String(), "subflows=only": child.ID.String(), "range=all&parent=" + parent.ID.String(): child.ID.String()} {
		_, body := h.Get("/runs?" + query)
		if got := rowIDs(body); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	_, body := h.Get("/flow-runs/" + parent.ID.String())
	uitest.Contains(t, body, "Sub-flows", "adder / "+child.Name, "/runs?range=all&amp;parent="+parent.ID.String())
	_, body = h.Get("/task-runs/" + task.String())
	uitest.Contains(t, body, "sub-flow "+child.Name)
	_, body = h.Get("/flow-runs/" + child.ID.String())
	uitest.Contains(t, body, "part of "+parent.Name)
}

// An order about all that match is asked about, counts what it would do, and
// leaves alone what it cannot be done to.
func TestBulk(t *testing.T) {
	h := uitest.Open(t)
	now := core.Now()
	for i := range 60 {
		h.Finished(h.Adder, now.Add(-time.Duration(i+1)*time.Minute), now, []core.StateType{core.Failed, core.Completed}[i%2])
	}
	waiting := h.Create(h.ETL, "")
	query := url.Values{"flow": {"adder"}, "range": {"24h"}}.Encode()
	w := h.Post("/runs/bulk", url.Values{"do": {"retry"}, "all": {"1"}, "query": {query}})
	ask := w.Header().Get("Location")
	if w.Code != 303 || !strings.HasPrefix(ask, "/runs/bulk?") {
		t.Fatal(w.Code, ask)
	}
	if h.Count(core.Scheduled) != 1 {
		t.Fatal("it did not ask")
	}
	_, body := h.Get(ask)
	uitest.Contains(t, body, "Retry 30 runs?", `name="sure" value="1"`, "60 runs match", "and 20 more")
	w = h.Post("/runs/bulk", url.Values{"do": {"retry"}, "all": {"1"}, "sure": {"1"}, "query": {query}})
	if w.Code != 303 || w.Header().Get("Location") != "/runs?"+query || h.Count(core.Scheduled) != 31 {
		t.Errorf("%d %v: %d scheduled", w.Code, w.Header(), h.Count(core.Scheduled))
	}
	some := []string{}
	_, body = h.Get("/runs?state=completed")
	some = append(some, rowIDs(body)[:3]...)
	w = h.Post("/runs/bulk", url.Values{"do": {"delete"}, "id": some}, "HX-Request", "true")
	ask = w.Header().Get("HX-Redirect")
	_, body = h.Get(ask)
	uitest.Contains(t, body, "Delete 3 runs?", "cannot be undone")
	if h.Count(core.Completed) != 30 {
		t.Fatal("it did not ask")
	}
	h.Post("/runs/bulk", url.Values{"do": {"delete"}, "id": some, "sure": {"1"}})
	if n := h.Count(core.Completed); n != 27 {
		t.Error(n, "completed runs left")
	}
	if w = h.Post("/runs/bulk", url.Values{"do": {"cancel"}, "id": {waiting.ID.String()}}); w.Code != 303 || h.Run(waiting.ID).StateType != core.Cancelled {
		t.Errorf("cancel: %d %s", w.Code, h.Run(waiting.ID).StateType)
	}
	if w = h.Post("/runs/bulk", url.Values{"do": {"explode"}}); w.Code != 400 {
		t.Error(w.Code)
	}
}

func TestSavedSearches(t *testing.T) {
	h := uitest.Open(t)
	w := h.Post("/runs/searches", url.Values{"name": {"<b>night</b>"}, "query": {"state=failed&state=crashed&flow=etl&page=3&nonsense=1"}})
	if w.Code != 303 || w.Header().Get("Location") != "/runs?flow=etl&state=failed&state=crashed" {
		t.Fatal(w.Code, w.Header())
	}
	_, body := h.Get("/runs")
	uitest.Contains(t, body, "&lt;b&gt;night&lt;/b&gt;", "/runs?flow=etl&amp;state=failed&amp;state=crashed")
	for name, query := range map[string]string{"": "state=failed", "x": "", strings.Repeat("n", 201): "state=failed"} {
		if w := h.Post("/runs/searches", url.Values{"name": {name}, "query": {query}}); w.Code != 422 {
			t.Errorf("%.10s %q: %d", name, query, w.Code)
		}
	}
	s, err := h.Store.SavedSearchByName(t.Context(), "<b>night</b>")
	h.Check(err)
	h.Post("/runs/searches/"+s.ID.String()+"/delete", nil)
	_, body = h.Get("/runs")
	if strings.Contains(body, "&lt;b&gt;night") {
		t.Error("it is still there")
	}
}

func TestChangeState(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	path := "/flow-runs/" + run.ID.String() + "/state"
	_, body := h.Get(path)
	uitest.Contains(t, body, "Change the state of "+run.Name, "Crashed", "cancel")
	if w := h.Post(path, url.Values{"message": {"kept & shown"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "kept &amp; shown") || !strings.Contains(w.Body.String(), `href="#st-type"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.Post(path, url.Values{"type": {"Failed"}, "message": {"the machine burned"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	if r := h.Run(run.ID); r.StateType != core.Failed || core.Deref(r.State.Message) != "the machine burned" {
		t.Errorf("%s %v", r.StateType, r.State)
	}
}

// What a task run was called with leads to the task runs that made it.
func TestTaskRunInputs(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	first := h.Task(ctx, run.ID, "extract", 0, h.Now(), time.Second, core.Completed)
	second := h.Task(ctx, run.ID, "load", 0, h.Now(), time.Second, core.Completed, first)
	_, body := h.Get("/task-runs/" + second.String())
	uitest.Contains(t, body, "Inputs", `href="/task-runs/`+first.String()+`"`, "extract-0", "States", "Completed")
}

// A failed item of a fan-out is told by its input, on its page and in the run's timeline.
func TestFailedTaskRunsShowTheirInput(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	now := h.Now()
	s := core.StateCreate{Type: core.Failed, Message: core.Ptr("no address")}.State(now)
	r := &core.TaskRun{ID: core.NewID(), Created: now, Updated: now, Name: "send-0", FlowRunID: run.ID, TaskKey: "send", DynamicKey: "0", RunCount: 2,
		StartTime: now, EndTime: now, ExpectedStartTime: now, State: s, StateID: s.ID, StateType: s.Type, StateName: s.Name, StateTimestamp: now,
		Labels: core.ToJSON(map[string]string{core.InputLabel: `{"to":"<bob>"}`})}
	h.Check(h.Service.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: r, States: []*core.State{s}}}))
	_, body := h.Get("/task-runs/" + r.ID.String())
	uitest.Contains(t, body, "&#34;to&#34;", "&lt;bob&gt;")
	_, body = h.Get("/flow-runs/" + run.ID.String() + "/timeline")
	uitest.Contains(t, body, `attempt 2 · {&#34;to&#34;:&#34;&lt;bob&gt;&#34;}`)
}

// The dashboard counts the runs of a flow and of a tag alone, and its links say so.
func TestDashboardFilters(t *testing.T) {
	h := uitest.Open(t)
	now := core.Now()
	h.Finished(h.ETL, now.Add(-time.Hour), now, core.Failed)
	h.Finished(h.Adder, now.Add(-time.Hour), now, core.Completed)
	h.Finished(h.Adder, now.Add(-time.Hour), now, core.Completed)
	h.Must(h.Service.CreateDeploymentFlowRun(t.Context(), h.Adder.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"a":1}`),
		State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: now.Add(time.Second)}}}))
	for query, want := range map[string]string{"": ">3<", "?flow=adder": ">2<", "?tag=warehouse": ">1<", "?flow=adder&tag=warehouse": ">0<", "?flow=etl&range=7d": ">1<"} {
		_, body := h.Get("/dashboard" + query)
		uitest.Contains(t, body, `class="big"`+want)
	}
	_, body := h.Get("/dashboard?flow=etl&range=7d")
	uitest.Contains(t, body, "/dashboard?flow=etl&amp;range=30d", "/runs?flow=etl&amp;range=7d&amp;state=failed")
}
