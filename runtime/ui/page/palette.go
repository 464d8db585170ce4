package page

import (
	"net/http"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// palette finds pages, deployments, flows and runs.
func (k *Kit) palette(w http.ResponseWriter, r *http.Request) error {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	hits, err := k.find(r, q)
	if err != nil {
		return err
	}
	if HX(r) {
		return k.Send(w, r, views.PaletteItems(hits))
	}
	p, err := k.Page(w, r, "Find", "")
	if err != nil {
		return err
	}
	return k.Send(w, r, views.PalettePage(p, q, hits))
}

func (k *Kit) find(r *http.Request, q string) (hits []views.Hit, err error) {
	ctx := r.Context()
	runs := func(f *core.FlowRunFilter, limit int) error {
		rs, err := k.Runs(ctx, core.Filters{FlowRuns: f}, core.Page{Sort: "EXPECTED_START_TIME_DESC", Limit: limit})
		for _, x := range rs {
			hits = append(hits, views.Hit{Href: "/flow-runs/" + x.ID.String(), Label: x.Flow + " / " + x.Name, Kind: "run", Tone: x.Tone()})
		}
		return err
	}
	if id, err := core.ParseUUID(q); err == nil {
		return hits, runs(&core.FlowRunFilter{ID: One(id)}, 1)
	}
	if q == "" {
		if err := runs(ByType(core.Running, core.Paused), 5); err != nil {
			return nil, err
		}
	}
	for _, p := range [][2]string{{"/dashboard", "Dashboard"}, {"/runs", "Runs"}, {"/deployments", "Deployments"}, {"/flows", "Flows"}, {"/work-pools", "Work pools"},
		{"/automations", "Automations"}, {"/events", "Events"}, {"/artifacts", "Artifacts"}, {"/variables", "Variables & secrets"}, {"/blocks", "Blocks"}, {"/concurrency", "Concurrency"}, {"/settings", "Settings"}} {
		if strings.Contains(strings.ToLower(p[1]), strings.ToLower(q)) {
			hits = append(hits, views.Hit{Href: p[0], Label: p[1], Kind: "page"})
		}
	}
	f := core.Filters{}
	if q != "" {
		f.Deployments = &core.DeploymentFilter{FlowOrDeploymentName: Like(q)}
	}
	deps, err := k.Store.Deployments(ctx, f, core.Page{Limit: 6})
	if err != nil {
		return nil, err
	}
	for _, d := range deps {
		hits = append(hits, views.Hit{Href: "/deployments/" + d.ID.String(), Label: d.FullName(), Kind: "deployment"})
	}
	if q == "" {
		return hits, nil
	}
	flows, err := k.Store.Flows(ctx, core.Filters{Flows: &core.FlowFilter{Name: Like(q)}}, core.Page{Limit: 4})
	if err != nil {
		return nil, err
	}
	for _, f := range flows {
		hits = append(hits, views.Hit{Href: "/flows/" + f.ID.String(), Label: f.Name, Kind: "flow"})
	}
	pools, err := k.Store.WorkPools(ctx, &core.WorkPoolFilter{Name: Like(q)}, core.Page{Limit: 4})
	if err != nil {
		return nil, err
	}
	for _, p := range pools {
		hits = append(hits, views.Hit{Href: "/work-pools/" + core.PathSegment(p.Name), Label: p.Name, Kind: "work pool"})
	}
	automations, err := k.Store.Automations(ctx, &core.AutomationFilter{Name: Like(q)}, core.Page{Limit: 4})
	if err != nil {
		return nil, err
	}
	for _, a := range automations {
		hits = append(hits, views.Hit{Href: "/automations/" + a.ID.String(), Label: a.Name, Kind: "automation"})
	}
	return hits, runs(&core.FlowRunFilter{Name: Like(q)}, 6)
}
