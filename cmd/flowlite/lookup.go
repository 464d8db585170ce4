package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/flowlite/flowlite/runtime/core"
)

// flowNames maps the ids of flows to their names.
func (a *app) flowNames(ids []core.UUID) map[core.UUID]string {
	names := map[core.UUID]string{}
	if len(ids) == 0 {
		return names
	}
	slices.SortFunc(ids, func(x, y core.UUID) int { return strings.Compare(x.String(), y.String()) })
	flows, _, _ := ask[[]*core.Flow](a, "POST", "/flows/filter", map[string]any{
		"flows": map[string]any{"id": map[string]any{"any_": slices.Compact(ids)}}})
	for _, f := range flows {
		names[f.ID] = f.Name
	}
	return names
}

// knownFlows says which of the flows are not there: a filter by a flow that
// nobody has would find nothing, without a word.
func (a *app) knownFlows(names []string) error {
	for _, name := range names {
		_, _, err := ask[*core.Flow](a, "GET", "/flows/name/"+esc(name), nil)
		if core.IsNotFound(err) {
			f := &failure{code: exitNotFound, what: fmt.Sprintf("no flow %q on %s", name, a.where()), hint: "flowlite flow ls shows all"}
			all, _, _ := ask[[]*core.Flow](a, "POST", "/flows/filter", map[string]any{})
			known := make([]string, len(all))
			for i, x := range all {
				known[i] = x.Name
			}
			if n := nearest(name, known); n != "" {
				f.hint = "did you mean " + n + "?"
			}
			return f
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deployment finds "flow/name", an id, or a name that only one flow has.
func (a *app) deployment(ref string) (d *core.Deployment, raw core.JSON, err error) {
	if id, bad := core.ParseUUID(ref); bad == nil {
		d, raw, err = ask[*core.Deployment](a, "GET", "/deployments/"+id.String(), nil)
	} else if flow, name, full := strings.Cut(ref, "/"); full {
		d, raw, err = ask[*core.Deployment](a, "GET", "/deployments/name/"+esc(flow)+"/"+esc(name), nil)
	} else {
		err = core.NotFound("deployment")
	}
	if err == nil {
		d.FlowName = a.flowNames([]core.UUID{d.FlowID})[d.FlowID]
		return d, raw, nil
	}
	if !core.IsNotFound(err) {
		return nil, nil, err
	}
	named, _, listErr := ask[[]*core.Deployment](
		a,
		"POST",
		"/deployments/filter",
		map[string]any{"deployments": map[string]any{"name": map[string]any{"any_": []string{ref}}}},
	)
	if listErr != nil {
		return nil, nil, listErr
	}
	match := a.fullNames(named)
	if len(match) == 1 {
		return a.deployment(match[0])
	}
	all, _, listErr := ask[[]*core.Deployment](a, "POST", "/deployments/filter", map[string]any{})
	if listErr != nil {
		return nil, nil, listErr
	}
	f := &failure{code: exitNotFound, what: fmt.Sprintf("no deployment %q on %s", ref, a.where()), hint: "flowlite deployment ls shows all"}
	if len(match) > 1 {
		f.code, f.what, f.hint = exitUsage, fmt.Sprintf("%q is a deployment of several flows", ref), "say one of "+strings.Join(match, ", ")
	} else if n := nearest(ref, a.fullNames(all)); n != "" {
		f.hint = "did you mean " + n + "?"
	}
	return nil, nil, f
}

func (a *app) fullNames(all []*core.Deployment) []string {
	ids := make([]core.UUID, len(all))
	for i, d := range all {
		ids[i] = d.FlowID
	}
	flows := a.flowNames(ids)
	names := make([]string, len(all))
	for i, d := range all {
		d.FlowName = flows[d.FlowID]
		names[i] = d.FullName()
	}
	return names
}

func (a *app) pool(name string) (*core.WorkPool, core.JSON, error) {
	p, raw, err := ask[*core.WorkPool](a, "GET", "/work_pools/"+esc(name), nil)
	return p, raw, a.noPool(name, err)
}

func (a *app) noPool(name string, err error) error {
	if !core.IsNotFound(err) {
		return err
	}
	all, _, _ := ask[[]*core.WorkPool](a, "POST", "/work_pools/filter", map[string]any{})
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	f := &failure{
		code: exitNotFound,
		what: fmt.Sprintf("no work pool %q on %s", name, a.where()),
		hint: core.ShellCommand("flowlite", "work-pool", "create", "--type", core.PoolProcess, name),
	}
	if n := nearest(name, names); n != "" {
		f.hint = "did you mean " + n + "?"
	}
	return f
}

// flowRun finds an id, a unique prefix of one among the newest 1,000, or a name.
func (a *app) flowRun(ref string) (*core.FlowRun, core.JSON, error) {
	if id, err := core.ParseUUID(ref); err == nil {
		r, raw, err := ask[*core.FlowRun](a, "GET", "/flow_runs/"+id.String(), nil)
		if core.IsNotFound(err) {
			err = noRun(ref)
		}
		return r, raw, err
	}
	found, _, err := ask[[]*core.FlowRun](a, "POST", "/flow_runs/filter", map[string]any{
		"flow_runs": map[string]any{"name": map[string]any{"any_": []string{ref}}}})
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 && prefixOfID(ref) {
		for offset := 0; offset < 1000; offset += core.MaxLimit {
			page, _, err := ask[[]*core.FlowRun](a, "POST", "/flow_runs/filter", map[string]any{"offset": offset, "limit": core.MaxLimit})
			if err != nil {
				return nil, nil, err
			}
			for _, r := range page {
				if strings.HasPrefix(r.ID.String(), strings.ToLower(ref)) {
					found = append(found, r)
				}
			}
			if len(page) < core.MaxLimit {
				break
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, nil, noRun(ref)
	case 1:
		return a.flowRun(found[0].ID.String())
	}
	var which []string
	for _, r := range found[:min(len(found), 4)] {
		which = append(which, r.ID.String()+" ("+r.Name+")")
	}
	return nil, nil, &failure{
		code: exitUsage,
		what: fmt.Sprintf("%q is %d flow runs", ref, len(found)),
		hint: "say one of " + strings.Join(which, ", "),
	}
}

func prefixOfID(ref string) bool {
	return len(ref) >= 4 && strings.Trim(strings.ToLower(ref), "0123456789abcdef-") == ""
}

func noRun(ref string) error {
	return &failure{code: exitNotFound, what: fmt.Sprintf("no flow run %q", ref), hint: "flowlite flow-run ls shows the newest"}
}

// short is as much of an id as tells runs of different milliseconds apart.
func short(id core.UUID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()[:13]
}

// shorts are ids as short as tells those of a list apart.
func shorts(ids []core.UUID) []string {
	n, out := 13, make([]string, len(ids))
	for ; n < 36; n++ {
		seen := map[string]bool{}
		for _, id := range ids {
			seen[id.String()[:n]] = true
		}
		if len(seen) == len(ids) {
			break
		}
	}
	for i, id := range ids {
		out[i] = id.String()[:n]
	}
	return out
}

// nearest is the candidate within a third of edits, or that has the same
// letters in another order, or that contains what was said.
func nearest(s string, candidates []string) (best string) {
	least := 2*max(1, len(s)/3) + 2
	for _, c := range candidates {
		d := 2 * levenshtein.ComputeDistance(strings.ToLower(s), strings.ToLower(c))
		if strings.Contains(c, s) || letters(c) == letters(s) {
			d = min(d, 3) // one edit is nearer
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

func letters(s string) string {
	r := []rune(strings.ToLower(s))
	slices.Sort(r)
	return string(r)
}
