package trigger

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Passes reports whether a live event passes a filter, as the store's query does
// of a stored one. An empty list asks for nothing: clients send "id": {"id": []}
// with every filter.
func Passes(f *core.EventFilter, e *core.Event) bool {
	if o := f.Occurred; o != nil && (!o.Since.IsZero() && e.Occurred < o.Since || !o.Until.IsZero() && e.Occurred > o.Until) {
		return false
	}
	if n := f.Event; n != nil {
		has := func(p string) bool { return strings.HasPrefix(e.Event, p) }
		switch {
		case len(n.Prefix) > 0 && !slices.ContainsFunc(n.Prefix, has),
			slices.ContainsFunc(n.ExcludePrefix, has),
			len(n.Name) > 0 && !slices.Contains(n.Name, e.Event),
			slices.Contains(n.ExcludeName, e.Event):
			return false
		}
	}
	if f.ID != nil && len(f.ID.ID) > 0 && !slices.Contains(f.ID.ID, e.ID) {
		return false
	}
	if r := f.Resource; r != nil && !matchResource(r.ID, r.IDPrefix, nil, r.Labels, e.Resource) {
		return false
	}
	if f.AnyResource != nil && len(*f.AnyResource) > 0 && !slices.ContainsFunc(*f.AnyResource, func(r core.EventRelated) bool {
		return matchRelated(r, e.Resource) || slices.ContainsFunc(e.Related, func(l map[string]string) bool { return matchRelated(r, l) })
	}) {
		return false
	}
	if f.Related != nil && len(*f.Related) > 0 && !slices.ContainsFunc(*f.Related, func(r core.EventRelated) bool {
		return slices.ContainsFunc(e.Related, func(l map[string]string) bool { return matchRelated(r, l) })
	}) {
		return false
	}
	if f.Text != nil && !matchText(f.Text, e) {
		return false
	}
	return true
}

func matchRelated(r core.EventRelated, labels map[string]string) bool {
	pair := [2]string{labels["prefect.resource.id"], labels["prefect.resource.role"]}
	if len(r.ResourcesInRoles) > 0 && !slices.Contains(r.ResourcesInRoles, pair) {
		return false
	}
	return matchResource(r.ID, r.IDPrefix, r.Role, r.Labels, labels)
}

func matchResource(ids, prefixes, roles []string, want map[string]any, labels map[string]string) bool {
	id := labels["prefect.resource.id"]
	switch {
	case len(ids) > 0 && !slices.Contains(ids, id),
		len(prefixes) > 0 && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(id, p) }),
		len(roles) > 0 && !slices.Contains(roles, labels["prefect.resource.role"]):
		return false
	}
	for key, v := range want {
		patterns := filterPatterns(v)
		if value, has := labels[key]; len(patterns) > 0 && (!has || !Admits(patterns, value)) {
			return false
		}
	}
	return true
}

// matchText searches where the store does.
func matchText(x *core.Search, e *core.Event) bool {
	return x.Terms().Match(e.Event + " " + string(core.ToJSON(e.Resource)) + " " + string(core.ToJSON(e.Related)) + " " + string(e.Payload))
}

// filterPatterns are the patterns of a label in a filter; numbers stand for their text.
func filterPatterns(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	patterns := make([]string, len(list))
	for i, x := range list {
		patterns[i] = fmt.Sprint(x)
	}
	return patterns
}
