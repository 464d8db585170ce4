package importer

import (
	"context"
	"strings"
)

func (i *importer) deployments(ctx context.Context, p *Part) error {
	rows, err := all(ctx, i.From, "/deployments/filter", object{"sort": "NAME_ASC"})
	if err != nil {
		return err
	}
	there, err := all(ctx, i.To, "/deployments/filter", object{"sort": "NAME_ASC"})
	if err != nil {
		return err
	}
	flows, err := all(ctx, i.From, "/flows/filter", nil)
	if err != nil {
		return err
	}
	flowNames := map[string]string{}
	for _, f := range flows {
		flowNames[text(f, "id")] = byName(f)
	}
	name := func(d object) string { return flowNames[text(d, "flow_id")] + "/" + byName(d) }
	have := index(there, func(d object) string { return text(d, "flow_id") + "/" + byName(d) })
	return i.each(ctx, p, rows, name, func(d object) error {
		flow, ok := i.ids[text(d, "flow_id")]
		if !ok {
			p.skip(name(d), "its flow was not copied")
			return nil
		}
		if t, ok := have[flow+"/"+byName(d)]; ok {
			p.Kept++
			i.known(d, t)
			return nil
		}
		body, why := i.deployment(d)
		if why != "" {
			p.skip(name(d), why)
			return nil
		}
		var made object
		if err := call(ctx, i.To, "POST", "/deployments/", body, &made); err != nil {
			return err
		}
		p.Created++
		i.known(d, made)
		return nil
	})
}

// deployment is the body that makes one like d, or why there can be none.
func (i *importer) deployment(d object) (body object, why string) {
	body = pick(d, "name", "version", "description", "tags", "labels", "parameters", "paused", "entrypoint", "path", "pull_steps",
		"parameter_openapi_schema", "enforce_parameter_schema", "job_variables", "work_pool_name", "work_queue_name", "concurrency_options")
	body["flow_id"] = i.ids[text(d, "flow_id")]
	body["labels"] = i.translate(d["labels"]) // they name the flow
	for _, key := range []string{"storage_document_id", "infrastructure_document_id"} {
		id := text(d, key)
		if id == "" {
			continue
		}
		if i.ids[id] == "" {
			return nil, "the block of its " + key + " was not copied"
		}
		body[key] = i.ids[id]
	}
	if limit, ok := d["global_concurrency_limit"].(object); ok {
		if strings.HasPrefix(byName(limit), "deployment:") {
			body["concurrency_limit"] = limit["limit"]
		} else {
			body["global_concurrency_limit_id"] = i.ids[text(limit, "id")]
		}
	}
	if body["parameter_openapi_schema"] == nil {
		body["parameter_openapi_schema"] = object{}
	}
	schedules := []any{}
	list, _ := d["schedules"].([]any)
	for _, s := range list {
		if s, ok := s.(object); ok {
			schedules = append(schedules, pick(s, "schedule", "active", "parameters", "slug", "max_scheduled_runs"))
		}
	}
	body["schedules"] = schedules
	return body, ""
}

func (i *importer) automations(ctx context.Context, p *Part) error {
	return i.copyNamed(ctx, p, "/automations/filter", "/automations/", func(a object) (object, string) {
		body := pick(a, "name", "description", "enabled", "trigger", "actions", "actions_on_trigger", "actions_on_resolve", "tags")
		// The trigger's own ids are the server's to give.
		body["trigger"] = withoutIDs(body["trigger"])
		return i.translate(body).(object), ""
	})
}

func withoutIDs(v any) any {
	t, ok := v.(object)
	if !ok {
		return v
	}
	out := object{}
	for k, x := range t {
		if k != "id" {
			out[k] = x
		}
	}
	if list, ok := out["triggers"].([]any); ok {
		inner := make([]any, len(list))
		for n := range list {
			inner[n] = withoutIDs(list[n])
		}
		out["triggers"] = inner
	}
	return out
}
