package orchestrate_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// TestRunsEmitNoEventsOfOthers: automations trust the events that Prefect reserves.
func TestRunsEmitNoEventsOfOthers(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := h.Deployed()
		foreign := h.Deployed(func(c *core.DeploymentCreate) { c.Name = "another" })
		root, other := h.Run(d), h.Run(foreign)
		ctx := core.WithCallingRun(h.Ctx, root.ID)
		task := func(run core.UUID) string {
			return localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: run, TaskKey: "t", DynamicKey: core.NewID().String()}))(t).ID.String()
		}
		artifact := func(run core.UUID) string {
			return localtest.Must(h.CreateArtifact(h.Ctx, core.ArtifactCreate{Key: core.Ptr("a"), FlowRunID: run}))(t).ID.String()
		}
		child := localtest.Must(h.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: foreign.FlowID}))(t)
		own, ownTask, ownArtifact := root.ID.String(), task(root.ID), artifact(root.ID)
		theirs, theirTask, theirArtifact := other.ID.String(), task(other.ID), artifact(other.ID)
		related := func(id string) []map[string]string {
			_, role, _ := strings.Cut(id[:strings.LastIndexByte(id, '.')], ".")
			return []map[string]string{{"prefect.resource.id": id, "prefect.resource.role": role}}
		}
		unknown := core.NewID().String()
		for _, c := range []struct {
			name, resource, related string
			want                    bool
		}{
			// What clients of Prefect send from within a run.
			{"prefect.flow-run.heartbeat", "prefect.flow-run." + own, "prefect.deployment." + d.ID.String(), true},
			{"prefect.flow-run.heartbeat", "prefect.flow-run." + child.ID.String(), "", true},
			{"prefect.flow-run.heartbeat", "prefect.flow-run." + own, "prefect.flow." + d.FlowID.String(), true},
			{"prefect.flow-run.heartbeat", "prefect.flow-run." + own, "prefect.work-queue." + root.WorkQueueID.String(), true},
			{"prefect.flow-run.heartbeat", "prefect.flow-run." + own, "prefect.tag.prod", true},
			{"prefect.task-run.Running", "prefect.task-run." + ownTask, "prefect.flow-run." + own, true},
			{"prefect.artifact.created", "prefect.artifact." + ownArtifact, "prefect.task-run." + ownTask, true},
			{"prefect.artifact.updated", "prefect.artifact." + unknown, "", true},
			{"prefect.concurrency-limit.acquired", "prefect.concurrency-limit." + unknown, "prefect.flow-run." + own, true},
			{"prefect.concurrency-limit.v1.acquired", "prefect.concurrency-limit.v1." + unknown, "", true},
			{"prefect.asset.materialization.succeeded", "s3://bucket/key", "prefect.flow-run." + own, true},
			{"prefect.block.secret.loaded", "prefect.block-document." + unknown, "", true},
			{"prefect.runner.cancelled-flow-run", "prefect.runner.x", "prefect.flow-run." + own, true},
			{"order.received", "prefect.flow-run." + theirs, "", true}, // no event that Prefect reserves
			{"prefect", "x", "", true},
			// What only servers, workers, and other runs send.
			{"prefect.flow-run.heartbeat", "prefect.flow-run." + theirs, "", false},
			{"prefect.flow-run.Failed", "prefect.flow-run." + theirs, "", false},
			{"prefect.flow-run.Failed", "prefect.flow-run." + own, "prefect.deployment." + foreign.ID.String(), false},
			{"prefect.flow-run.Failed", "prefect.flow-run." + own, "prefect.flow-run." + theirs, false},
			{"prefect.flow-run.Failed", "prefect.flow-run." + own, "prefect.flow." + unknown, false},
			{"prefect.flow-run.Failed", "prefect.flow-run." + own, "prefect.work-pool." + unknown, false},
			{"prefect.flow-run.Failed", "prefect.flow-run." + own, "prefect.work-queue.x", false},
			{"prefect.flow-run.Failed", "prefect.flow-run.{" + theirs + "}", "", false},
			{"prefect.flow-run.Failed", "prefect.flow-run." + theirs + ".", "", false},
			{"prefect.flow-run.Failed", "prefect.flow-run.urn:uuid:" + theirs, "", false},
			{"PREFECT.flow-run.Failed", "prefect.flow-run." + theirs, "", false},
			{" prefect.flow-run.Failed", "prefect.flow-run." + theirs, "", false},
			{"prefect.flow-run.Failed", "x", "prefect.flow-run." + theirs, false},
			{"prefect.task-run.Failed", "prefect.task-run." + theirTask, "", false},
			{"prefect.artifact.updated", "prefect.artifact." + theirArtifact, "", false},
			{"prefect.artifact.updated", "prefect.flow-run." + own, "", false},
			{"prefect.concurrency-limit.acquired", "prefect.concurrency-limit." + unknown, "prefect.task-run." + theirTask, false},
			{"prefect.asset.referenced", "prefect.deployment." + d.ID.String(), "", false},
			{"prefect.runner.cancelled-flow-run", "prefect.runner.x", "prefect.flow-run." + theirs, false},
			{"prefect.worker.executed-flow-run", "prefect.worker.x", "prefect.flow-run." + theirs, false},
			{"prefect.deployment.ready", "prefect.deployment." + d.ID.String(), "", false},
			{"prefect.work-pool.not-ready", "prefect.work-pool." + unknown, "", false},
			{"prefect.work-queue.ready", "prefect.work-queue." + unknown, "", false},
			{"prefect.automation.triggered", "prefect.automation." + unknown, "", false},
			{"prefect.something-new", "prefect.something." + unknown, "", false},
		} {
			e := &core.Event{Event: c.name, Resource: map[string]string{"prefect.resource.id": c.resource}}
			if c.related != "" {
				e.Related = related(c.related)
			}
			beside := &core.Event{ID: core.NewID(), Event: "beside", Resource: map[string]string{"prefect.resource.id": "x"}}
			err := h.EmitEvents(ctx, []*core.Event{e, beside})
			if (err == nil) != c.want || err != nil && core.CodeOf(err) != core.EForbidden {
				t.Errorf("%s of %s, related to %s: %v", c.name, c.resource, c.related, err)
			}
			for id, want := range map[core.UUID]bool{e.ID: c.want, beside.ID: true} {
				n := int64(0)
				if !id.IsZero() {
					n = localtest.Must(h.Store.CountEvents(h.Ctx, &core.EventFilter{ID: &core.EventIDs{ID: []core.UUID{id}}}))(t)
				}
				if (n == 1) != want {
					t.Errorf("%s of %s: %d stored, want %v", c.name, c.resource, n, want)
				}
			}
			e.ID = core.NewID()
			if err := h.EmitEvents(h.Ctx, []*core.Event{e}); err != nil {
				t.Errorf("%s with the credentials of the server: %v", c.name, err)
			}
		}
		slot := &core.Event{ID: core.NewID(), Event: "prefect.concurrency-limit.v1.acquired",
			Resource: map[string]string{"prefect.resource.id": "prefect.concurrency-limit.v1." + unknown, "task_run_id": theirTask}}
		if err := h.EmitEvents(ctx, []*core.Event{slot}); core.CodeOf(err) != core.EForbidden {
			t.Errorf("a slot of another run's task: %v", err)
		}
	})
}

func TestRunsReplaceOnlyTheirResults(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		results := db.Results(h.Store)
		if results == nil {
			results = orchestrate.DirResults(t.TempDir())
		}
		s := local.New(local.Config{Store: h.Store, Bus: h.Bus, Results: results, Log: slog.New(slog.DiscardHandler)})
		d := h.Deployed()
		root, other := h.Run(d), h.Run(d)
		ctx := core.WithCallingRun(h.Ctx, root.ID)
		child := localtest.Must(h.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: d.FlowID}))(t)
		for _, key := range []string{other.ID.String() + "/t-1.json", "cache/theirs"} {
			if err := s.PutResult(h.Ctx, key, []byte("theirs")); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			key, data string
			want      bool
		}{
			{root.ID.String() + "/t-1.json", "one", true},
			{root.ID.String() + "/t-1.json", "two", true},
			{child.ID.String() + "/t-1.json", "child", true},
			{"cache/new", "new", true},
			{"cache/new", "new", true}, // again, after an answer was lost
			{"cache/theirs", "theirs", true},
			{"cache/new", "other", false},
			{"cache/theirs", "theirs, and more", false},
			{"cache/theirs", "their", false},
			{"cache/theirs", "", false},
			{other.ID.String() + "/t-1.json", "forged", false},
			{other.ID.String() + "/t-2.json", "forged", false},
			{"./" + other.ID.String() + "/t-1.json", "forged", false},
			{root.ID.String() + "/../" + other.ID.String() + "/t-1.json", "forged", false},
			{strings.ToUpper(other.ID.String()) + "/t-1.json", "forged", false},
		} {
			err := s.PutResult(ctx, c.key, []byte(c.data))
			if (err == nil) != c.want || err != nil && core.CodeOf(err) != core.EForbidden {
				t.Errorf("%s with %q: %v", c.key, c.data, err)
			}
			if got, err := s.Result(h.Ctx, c.key); c.want && (err != nil || string(got) != c.data) {
				t.Errorf("%s holds %q, %v; want %q", c.key, got, err, c.data)
			}
		}
		for _, key := range []string{other.ID.String() + "/t-1.json", "cache/theirs"} {
			if got, err := s.Result(h.Ctx, key); err != nil || string(got) != "theirs" {
				t.Errorf("%s holds %q, %v", key, got, err)
			}
		}
		if err := s.PutResult(h.Ctx, "cache/new", []byte("of the server")); err != nil {
			t.Error(err)
		}
	})
}
