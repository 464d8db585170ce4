package automation

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/flowlite/flowlite/runtime/block"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/template"
)

// wrapTemplates turns texts with {{ }} into the wrappers that hydrate renders.
func wrapTemplates(v any) any {
	switch v := v.(type) {
	case string:
		if template.Is(v) {
			return core.Object{{Key: block.KindKey, Value: "jinja"}, {Key: "template", Value: v}}
		}
	case core.Object:
		if _, wrapped := v.Get(block.KindKey); !wrapped {
			for i := range v {
				v[i].Value = wrapTemplates(v[i].Value)
			}
		}
	case []any:
		for i, x := range v {
			v[i] = wrapTemplates(x)
		}
	}
	return v
}

// templateData is what an action's templates may speak of: what fired, and the
// things that the event is about, as far as the templates name them.
func (s *Automations) templateData(ctx context.Context, inv *invocation, templates ...string) (map[string]any, error) {
	events, firings := allOf(inv.firing)
	data := map[string]any{
		"automation": plain(inv.automation),
		"event":      eventData(inv.firing.Event),
		"labels":     dive(inv.firing.Labels),
		"firing":     plain(inv.firing),
		"firings":    firings,
		"events":     events,
	}
	for name, load := range s.natives(ctx) {
		if !mentions(templates, name) {
			continue
		}
		labels := resourceOf(inv.firing.Event, strings.ReplaceAll(name, "_", "-"))
		_, text := cutLast(labels["prefect.resource.id"], ".")
		id, err := core.ParseUUID(text)
		if err != nil {
			continue
		}
		record, err := load(id)
		if core.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		object, _ := plain(record).(map[string]any)
		withState(object, labels)
		data[name] = object
	}
	if mentions(templates, "variables") {
		all, err := s.store.Variables(ctx, nil, core.Page{})
		if err != nil {
			return nil, err
		}
		variables := map[string]any{}
		for _, v := range all {
			variables[v.Name] = plain(v.Value)
		}
		data["variables"] = variables
	}
	return data, nil
}

func (s *Automations) natives(ctx context.Context) map[string]func(core.UUID) (any, error) {
	return map[string]func(core.UUID) (any, error){
		"flow_run":          func(id core.UUID) (any, error) { return s.store.FlowRun(ctx, id) },
		"task_run":          func(id core.UUID) (any, error) { return s.store.TaskRun(ctx, id) },
		"deployment":        func(id core.UUID) (any, error) { return s.store.Deployment(ctx, id) },
		"flow":              func(id core.UUID) (any, error) { return s.store.Flow(ctx, id) },
		"work_pool":         func(id core.UUID) (any, error) { return s.store.WorkPool(ctx, id) },
		"work_queue":        func(id core.UUID) (any, error) { return s.store.WorkQueue(ctx, id) },
		"concurrency_limit": func(id core.UUID) (any, error) { return s.store.GlobalLimit(ctx, id) },
	}
}

// pages are the two filters that lead to the UI: to the page of a thing, and to
// its events.
func (s *Automations) pages(data map[string]any) template.Filters {
	kinds := map[string]string{}
	for name, v := range data {
		if m, ok := v.(map[string]any); ok {
			if id, ok := m["id"].(string); ok {
				kinds[id] = strings.ReplaceAll(name, "_", "-")
			}
		}
	}
	find := func(v any) (kind, id, name string) {
		m, _ := v.(map[string]any)
		id, _ = m["id"].(string)
		name, _ = m["name"].(string)
		if rest, ok := strings.CutPrefix(id, "prefect."); ok { // a resource of an event
			kind, id = cutLast(rest, ".")
			return kind, id, name
		}
		return kinds[id], id, name
	}
	return template.Filters{
		"ui_url": func(v any) any {
			switch kind, id, name := find(v); kind {
			case "flow-run", "task-run", "flow", "deployment":
				return s.url + "/" + kind + "s/" + id
			case "work-pool":
				return s.url + "/work-pools/" + url.PathEscape(name)
			case "automation":
				return s.url + "/automations"
			}
			return ""
		},
		"ui_resource_events_url": func(v any) any {
			kind, id, _ := find(v)
			if kind == "" {
				return ""
			}
			return s.url + "/events?resource=" + url.QueryEscape("prefect."+kind+"."+id)
		},
	}
}

// withState gives a run the state of the event: it may have moved on since.
func withState(run map[string]any, labels map[string]string) {
	if run == nil || labels["prefect.state-type"] == "" {
		return
	}
	state, _ := run["state"].(map[string]any)
	if state == nil {
		state = map[string]any{}
		run["state"] = state
	}
	state["type"], state["name"] = labels["prefect.state-type"], labels["prefect.state-name"]
	state["message"], state["timestamp"] = labels["prefect.state-message"], labels["prefect.state-timestamp"]
}

func mentions(templates []string, name string) bool {
	word := regexp.MustCompile(`\b` + name + `\b`)
	for _, t := range templates {
		if template.Is(t) && word.MatchString(t) {
			return true
		}
	}
	return false
}

func allOf(f *core.Firing) (events, firings []any) {
	firings = append(firings, plain(f))
	if f.Event != nil {
		events = append(events, eventData(f.Event))
	}
	for _, w := range f.Within {
		e, more := allOf(w)
		events, firings = append(events, e...), append(firings, more...)
	}
	return events, firings
}

// eventData gives resources the short names that templates use.
func eventData(e *core.Event) any {
	if e == nil {
		return nil
	}
	m, _ := plain(e).(map[string]any)
	m["resource"] = resourceData(e.Resource)
	list := []any{}
	for _, r := range e.Related {
		list = append(list, resourceData(r))
	}
	m["related"] = list
	return m
}

func resourceData(labels map[string]string) map[string]any {
	m := map[string]any{
		"id": labels["prefect.resource.id"], "name": labels["prefect.resource.name"], "role": labels["prefect.resource.role"],
		"labels": dive(labels),
	}
	for key, v := range labels {
		m[key] = v
	}
	return m
}

// dive lets labels.prefect.resource.id reach "prefect.resource.id".
func dive(labels map[string]string) map[string]any {
	root := map[string]any{}
	for key, v := range labels {
		at := root
		parts := strings.Split(key, ".")
		for _, part := range parts[:len(parts)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[part] = next
			}
			at = next
		}
		if _, taken := at[parts[len(parts)-1]]; !taken {
			at[parts[len(parts)-1]] = v
		}
		if _, taken := root[key]; !taken {
			root[key] = v
		}
	}
	return root
}

func resourceOf(e *core.Event, kind string) map[string]string {
	if e == nil {
		return nil
	}
	for _, r := range append([]map[string]string{e.Resource}, e.Related...) {
		if before, _ := cutLast(r["prefect.resource.id"], "."); before == "prefect."+kind {
			return r
		}
	}
	return nil
}

func cutLast(s, sep string) (before, after string) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):]
	}
	return s, ""
}

// plain is a record as a client would read it.
func plain(v any) any {
	out, _ := core.ToJSON(v).Decode()
	return out
}
