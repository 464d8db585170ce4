package importer

import (
	"context"
	"slices"
	"time"
)

// batch is how many runs are sent at once, if they have few task runs: a body
// must stay within what a server takes.
const (
	batch     = 20
	mostTasks = 2000
)

// runs copies what has ended, under the ids it had, with its states, task
// runs, logs and artifacts. Live runs belong to the server that runs them.
func (i *importer) runs(ctx context.Context, p *Part) error {
	if i.Since <= 0 {
		return nil
	}
	after := i.Now().Add(-i.Since).UTC().Format(time.RFC3339)
	rows, err := all(ctx, i.From, "/flow_runs/filter", object{"sort": "EXPECTED_START_TIME_ASC",
		"flow_runs": object{"expected_start_time": object{"after_": after}}})
	if err != nil {
		return err
	}
	var ended []object
	live := 0
	for _, r := range rows {
		switch text(r, "state_type") {
		case "COMPLETED", "FAILED", "CANCELLED", "CRASHED":
			ended = append(ended, r)
		default:
			live++
		}
	}
	for from := 0; from < len(ended); from += batch {
		part := ended[from:min(from+batch, len(ended))]
		if err := i.runBatch(ctx, p, part); err != nil {
			return err
		}
		if i.Progress != nil {
			i.Progress(p.Kind, from+len(part), len(ended))
		}
	}
	if live > 0 {
		p.skip(plural(live, "run"), "not ended: they belong to the server that runs them, and scheduled ones are made anew")
	}
	return nil
}

func (i *importer) runBatch(ctx context.Context, p *Part, rows []object) error {
	var body []object
	taskRuns := 0
	for n, r := range rows {
		if taskRuns > mostTasks {
			if err := i.send(ctx, p, body); err != nil {
				return err
			}
			return i.runBatch(ctx, p, rows[n:])
		}
		id := text(r, "id")
		if i.ids[text(r, "flow_id")] == "" {
			p.skip(byName(r), "its flow was not copied")
			continue
		}
		var states []object
		if err := i.get(ctx, i.From, "/flow_run_states/?flow_run_id="+id, &states); err != nil {
			return err
		}
		tasks, err := all(ctx, i.From, "/task_runs/filter", object{"flow_runs": object{"id": object{"any_": []string{id}}}})
		if err != nil {
			return err
		}
		// What has no counterpart here stays unset: a pool that was skipped.
		for _, key := range []string{"deployment_id", "work_queue_id", "infrastructure_document_id"} {
			if old := text(r, key); old != "" && i.ids[old] == "" {
				r[key] = nil
			}
		}
		taskRuns += len(tasks)
		body = append(body, object{"flow_run": i.translate(r), "states": states, "task_runs": tasks})
	}
	return i.send(ctx, p, body)
}

func (i *importer) send(ctx context.Context, p *Part, body []object) error {
	if len(body) == 0 {
		return nil
	}
	var answer struct {
		Created []string `json:"created"`
	}
	if err := call(ctx, i.To, "POST", "/flow_runs/import", object{"runs": body}, &answer); err != nil {
		return err
	}
	p.Created += len(answer.Created)
	p.Kept += len(body) - len(answer.Created)
	if len(answer.Created) == 0 {
		return nil
	}
	logs, err := all(
		ctx,
		i.From,
		"/logs/filter",
		object{"logs": object{"flow_run_id": object{"any_": answer.Created}}, "sort": "TIMESTAMP_ASC"},
	)
	if err != nil {
		return err
	}
	var lines []object
	for _, l := range logs {
		lines = append(lines, pick(l, "name", "level", "message", "timestamp", "flow_run_id", "task_run_id"))
	}
	for part := range slices.Chunk(lines, 1000) {
		if err := call(ctx, i.To, "POST", "/logs/", part, nil); err != nil {
			return err
		}
	}
	artifacts, err := all(
		ctx,
		i.From,
		"/artifacts/filter",
		object{"flow_runs": object{"id": object{"any_": answer.Created}}, "sort": "ID_DESC"},
	)
	if err != nil {
		return err
	}
	for _, a := range artifacts {
		if text(a, "type") == "result" {
			continue // where a result is stored, which the state tells as well
		}
		if err := call(
			ctx,
			i.To,
			"POST",
			"/artifacts/",
			pick(a, "key", "type", "description", "data", "metadata_", "flow_run_id", "task_run_id"),
			nil,
		); err != nil {
			return err
		}
	}
	return nil
}
