package api

import (
	"context"
	"encoding/csv"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) flowRuns() group {
	return group{"/flow_runs", []op{
		post("/", a.createFlowRun, need("flow_id")).runs(),
		update("Flow run", a.Runs.UpdateFlowRun).ownRun(),
		read("Flow run", a.store.FlowRun).runs(),
		remove("Flow run", a.Runs.DeleteFlowRun),
		count[entities]("/count", a.store.CountFlowRuns).runs(),
		filter[entities]("/filter", core.FlowRunSorts, a.store.FlowRuns).runs(),
		paginate[entities](core.FlowRunSorts, a.store.FlowRuns, a.store.CountFlowRuns).runs(),
		history(a.store.FlowRunHistory).runs(),
		post("/import", a.importRuns, need("runs")),
		post("/lateness", func(ctx context.Context, in *withBody[entities]) (*float64, error) {
			return a.store.FlowRunLateness(ctx, in.Body.filter())
		}, strict).runs(),
		get("/{id}/graph", func(ctx context.Context, in *byID) ([]core.Dependency, error) {
			d, err := a.Runs.FlowRunDependencies(ctx, in.ID)
			return d, named("Flow run", err)
		}).runs(),
		get("/{id}/graph-v2", func(ctx context.Context, in *struct {
			ID    core.UUID `path:"id"`
			Since core.Time `query:"since"`
		}) (*core.Graph, error) {
			return a.Runs.FlowRunGraph(ctx, in.ID, in.Since)
		}, model(ownWords)).runs(),
		post("/{id}/set_state", a.setFlowRunState, need("state"), model("Flow run")).ownRun(),
		post("/{id}/resume", a.resumeFlowRun, optional, model("Flow run")).ownRun(),
		done("PATCH", "/{id}/labels", func(ctx context.Context, in *change[core.JSON]) error {
			return a.Runs.UpdateFlowRunLabels(ctx, in.ID, in.Body)
		}, model("Flow run")).ownRun(),
		plain("GET", "/{id}/logs/download", http.StatusOK, a.downloadLogs).runs(),

		// What Prefect has no word for.
		post("/{id}/retry", a.retryFlowRun, optional).ownRun(),
		post("/{id}/cancel", a.cancelFlowRun, optional).ownRun(),
		post("/{id}/suspend", func(ctx context.Context, in *byID) (*core.OrchestrationResult, error) {
			r, err := a.Runs.SuspendFlowRun(ctx, in.ID)
			return statusOf(ctx, r, err)
		}).ownRun(),
		post("/{id}/crash", a.reportCrash, optional),
		get("/{id}/wait", a.waitFlowRun).runs(),
		get("/{id}/why", func(ctx context.Context, in *byID) (*core.Why, error) { return a.Runs.Why(ctx, in.ID) }).runs(),
		get("/{id}/task_runs", a.taskRunsOf).runs(),
		plain("GET", "/{id}/logs/stream", http.StatusOK, a.streamLogs).runs(),
	}}
}

func (a *API) createFlowRun(ctx context.Context, in *withBody[core.FlowRunCreate]) (*core.FlowRun, error) {
	if err := checkState(in.Body.State, "state"); err != nil {
		return nil, err
	}
	if err := a.owns(ctx, taskReach, in.Body.ParentTaskRunID); err != nil {
		return nil, err // the task run takes the state of the run
	}
	r, err := a.Runs.CreateFlowRun(ctx, in.Body)
	if err == nil {
		created(ctx, r.Created)
	}
	return r, err
}

type stateChange struct {
	ID   core.UUID `path:"id"`
	Body struct {
		State core.StateCreate `json:"state"`
		Force bool             `json:"force"`
	}
}

// checkState: a wrong type is told by naming the right ones.
func checkState(s *core.StateCreate, loc ...any) error {
	switch {
	case s == nil || s.Type.Valid():
		return nil
	case s.Type == "":
		return invalid("missing", "Field required", nil, append(loc, "type")...)
	}
	return invalid(
		"enum",
		"Input should be 'SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED' or 'CANCELLING'",
		s.Type,
		append(loc, "type")...)
}

// importRuns is flowlite's own: the history of another server.
func (a *API) importRuns(ctx context.Context, in *withBody[struct {
	Runs []core.PastRun `json:"runs"`
}]) (map[string][]core.UUID, error) {
	created, err := a.Runs.ImportRuns(ctx, in.Body.Runs)
	return map[string][]core.UUID{"created": created}, err
}

func (a *API) setFlowRunState(ctx context.Context, in *stateChange) (*core.OrchestrationResult, error) {
	if err := checkState(&in.Body.State, "state"); err != nil {
		return nil, err
	}
	if in.Body.State.Type == core.Pending && isPrefect38(requestOf(ctx)) {
		in.Body.State.RenewsSlot = true
	}
	r, err := a.Runs.SetFlowRunState(ctx, in.ID, in.Body.State, in.Body.Force)
	return statusOf(ctx, r, err)
}

func (a *API) resumeFlowRun(ctx context.Context, in *change[struct {
	Input core.JSON `json:"run_input"`
}]) (*core.OrchestrationResult, error) {
	if in.Body.Input.IsNull() {
		in.Body.Input = nil
	}
	r, err := a.Runs.ResumeFlowRun(ctx, in.ID, in.Body.Input)
	return statusOf(ctx, r, err)
}

func (a *API) retryFlowRun(ctx context.Context, in *change[struct {
	Fresh bool `json:"fresh"`
}]) (*core.OrchestrationResult, error) {
	r, err := a.Runs.RetryFlowRun(ctx, in.ID, in.Body.Fresh)
	return statusOf(ctx, r, err)
}

func (a *API) cancelFlowRun(ctx context.Context, in *change[struct {
	TransitionID core.UUID `json:"transition_id"`
}]) (*core.OrchestrationResult, error) {
	id := in.Body.TransitionID
	if id.IsZero() {
		id = core.NewID()
	}
	r, err := a.Runs.CancelFlowRunBy(ctx, in.ID, id)
	return statusOf(ctx, r, err)
}

func (a *API) reportCrash(ctx context.Context, in *change[struct {
	Message     string `json:"message"`
	Recoverable bool   `json:"recoverable"`
}]) (*core.OrchestrationResult, error) {
	r, err := a.Runs.ReportCrash(ctx, in.ID, in.Body.Message, in.Body.Recoverable)
	return statusOf(ctx, r, err)
}

func (a *API) waitFlowRun(ctx context.Context, in *struct {
	ID      core.UUID    `path:"id"`
	StateID core.UUID    `query:"state_id"`
	Wait    core.Seconds `query:"wait"`
}) (*core.FlowRun, error) {
	wait := min(max(in.Wait, 0), 30)
	if !requestOf(ctx).URL.Query().Has("wait") {
		wait = 30
	}
	r, err := a.Runs.WaitFlowRun(ctx, in.ID, in.StateID, wait)
	return r, named("Flow run", err)
}

func (a *API) taskRunsOf(ctx context.Context, in *struct {
	ID    core.UUID `path:"id"`
	After core.UUID `query:"after"`
	Limit int       `query:"limit"`
}) ([]*core.TaskRun, error) {
	if in.Limit <= 0 || in.Limit > maxTaskRuns {
		in.Limit = maxTaskRuns
	}
	return rows(a.store.TaskRunsOf(ctx, in.ID, in.After, in.Limit))
}

// maxTaskRuns is a page of task runs for an engine that resumes.
const maxTaskRuns = 1000

// formula finds the beginning of one, also behind spaces and colors, which some
// programs drop, and in full width.
var formula = regexp.MustCompile(`^(?:[\s\x00-\x1f\x{a0}\x{feff}]|\x1b\[[0-9;]*m)*[=+\-@＝＋－＠]`)

// csvText returns a text as the cell of a table. A spreadsheet would take a cell
// that begins with one of these characters for a formula, and execute it; the
// quote makes it a text.
func csvText(s string) string {
	if s != "" && strings.ContainsRune("\t\r\n", rune(s[0])) || formula.MatchString(s) {
		return "'" + s
	}
	return s
}

// downloadLogs answers all logs of a run as CSV, read page by page.
func (a *API) downloadLogs(w http.ResponseWriter, r *http.Request) {
	id, err := core.ParseUUID(r.PathValue("id"))
	if err != nil {
		writeDetail(w, http.StatusNotFound, "Not Found")
		return
	}
	run, err := a.store.FlowRun(r.Context(), id)
	if err != nil {
		a.fail(w, r, &op{}, nil, named("Flow run", err))
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", core.Attachment(run.Name, "-logs.csv"))
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write([]string{"timestamp", "level", "flow_run_id", "task_run_id", "message"})
	f := core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{id}}}
	for {
		logs, err := a.store.Logs(r.Context(), &f, core.Page{Sort: "SEQ_ASC"})
		if err != nil || len(logs) == 0 {
			break
		}
		for _, l := range logs {
			task := ""
			if !l.TaskRunID.IsZero() {
				task = l.TaskRunID.String()
			}
			_ = out.Write(
				[]string{
					l.Timestamp.Time().Format("2006-01-02 15:04:05.000000-07:00"),
					strconv.FormatInt(l.Level, 10),
					id.String(),
					task,
					csvText(l.Message),
				},
			)
		}
		f.AfterSeq = logs[len(logs)-1].Seq
	}
	out.Flush()
}
