package orchestrate

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	maxGraphNodes = 10_000
	graphPage     = 1000
	// enclosed is the key in task inputs of the task run around a task run.
	enclosed = "__parents__"
)

// FlowRunGraph is a run's started task runs and sub-flow runs, those that had
// not ended before since, and how they depend on each other. ENotFound if the
// run does not exist, EBadRequest if it has more than 10000 nodes.
func (s *Service) FlowRunGraph(ctx context.Context, id core.UUID, since core.Time) (*core.Graph, error) {
	run, err := s.store.FlowRun(ctx, id)
	if core.IsNotFound(err) {
		return nil, core.Errorf(core.ENotFound, "Flow run %s not found", id)
	}
	if err != nil {
		return nil, err
	}
	b := graphBuilder{nodes: map[core.UUID]*core.GraphNode{}, inputs: map[core.UUID]map[string][]core.TaskRunInput{}}
	if err := s.graphNodes(ctx, &b, id); err != nil {
		return nil, err
	}
	b.connect()
	g := &core.Graph{StartTime: run.StartTime, EndTime: run.EndTime, Roots: []core.UUID{}, Nodes: []core.GraphEntry{},
		Artifacts: []core.GraphArtifact{}, States: []core.GraphState{}}
	of, err := s.graphArtifacts(ctx, id)
	if err != nil {
		return nil, err
	}
	g.Artifacts = append(g.Artifacts, of[core.UUID{}]...)
	for _, n := range b.sorted() {
		if !n.EndTime.IsZero() && n.EndTime < since {
			continue
		}
		n.Artifacts = append(n.Artifacts, of[n.ID]...)
		g.Nodes = append(g.Nodes, core.GraphEntry{GraphNode: n})
		if len(n.Parents)+len(n.Encapsulating) == 0 {
			g.Roots = append(g.Roots, n.ID)
		}
	}
	states, err := s.store.FlowRunStates(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, st := range states {
		g.States = append(g.States, core.GraphState{ID: st.ID, Timestamp: st.Timestamp, Type: st.Type, Name: st.Name})
	}
	return g, nil
}

// graphBuilder gathers nodes by their task run's id: a sub-flow's run stands
// where its placeholder would.
type graphBuilder struct {
	nodes  map[core.UUID]*core.GraphNode
	inputs map[core.UUID]map[string][]core.TaskRunInput
}

func (s *Service) graphNodes(ctx context.Context, b *graphBuilder, id core.UUID) error {
	flows := map[core.UUID]string{}
	children, err := s.store.FlowRunChildren(ctx, id)
	if err != nil {
		return err
	}
	placeholder := map[core.UUID]bool{}
	for _, c := range children {
		placeholder[c.ParentTaskRunID] = true
		if c.StartTime.IsZero() {
			continue
		}
		if _, known := flows[c.FlowID]; !known {
			f, err := s.store.Flow(ctx, c.FlowID)
			if err != nil {
				return err
			}
			flows[c.FlowID] = f.Name
		}
		b.nodes[c.ParentTaskRunID] = &core.GraphNode{Kind: "flow-run", ID: c.ID, Label: flows[c.FlowID] + " / " + c.Name,
			StateType: c.StateType, StartTime: c.StartTime, EndTime: c.EndTime}
	}
	var after core.UUID
	for {
		tasks, err := s.store.TaskRunsOf(ctx, id, after, graphPage)
		if err != nil {
			return err
		}
		for _, t := range tasks {
			after = t.ID
			b.inputs[t.ID] = inputsOf(t)
			if !placeholder[t.ID] && !t.StartTime.IsZero() && t.StateType != core.Pending {
				b.nodes[t.ID] = &core.GraphNode{
					Kind:      "task-run",
					ID:        t.ID,
					Label:     t.Name,
					StateType: t.StateType,
					StartTime: t.StartTime,
					EndTime:   t.EndTime,
				}
			}
		}
		if len(b.nodes) > maxGraphNodes {
			return core.Errorf(core.EBadRequest, "The graph of flow run %s has more than %d nodes.", id, maxGraphNodes)
		}
		if len(tasks) < graphPage {
			return nil
		}
	}
}

// inputsOf leaves out what is no list of inputs: clients write what they like.
func inputsOf(t *core.TaskRun) map[string][]core.TaskRunInput {
	var raw map[string]json.RawMessage
	if json.Unmarshal(t.TaskInputs, &raw) != nil {
		return nil
	}
	out := map[string][]core.TaskRunInput{}
	for name, b := range raw {
		var list []core.TaskRunInput
		if json.Unmarshal(b, &list) == nil {
			out[name] = list
		}
	}
	return out
}

// connect draws each edge once, though a task run may get another's result
// under several names.
func (b *graphBuilder) connect() {
	edges := func(n *core.GraphNode) {
		n.Parents, n.Children, n.Encapsulating, n.Artifacts = []core.GraphEdge{}, []core.GraphEdge{}, []core.GraphEdge{}, []core.GraphArtifact{}
	}
	for _, n := range b.nodes {
		edges(n)
	}
	for _, taskID := range sortedKeys(b.nodes) {
		n := b.nodes[taskID]
		for name, list := range b.inputs[taskID] {
			for _, in := range list {
				from := b.nodes[in.ID]
				if from == nil || from == n {
					continue
				}
				if name == enclosed {
					n.Encapsulating = addEdge(n.Encapsulating, from.ID)
					continue
				}
				n.Parents = addEdge(n.Parents, from.ID)
				from.Children = addEdge(from.Children, n.ID)
			}
		}
	}
	for _, n := range b.nodes {
		for _, list := range [][]core.GraphEdge{n.Parents, n.Children, n.Encapsulating} {
			slices.SortFunc(list, func(a, b core.GraphEdge) int { return slices.Compare(a.ID[:], b.ID[:]) })
		}
	}
}

func addEdge(list []core.GraphEdge, id core.UUID) []core.GraphEdge {
	if slices.Contains(list, core.GraphEdge{ID: id}) {
		return list
	}
	return append(list, core.GraphEdge{ID: id})
}

func sortedKeys[V any](m map[core.UUID]V) []core.UUID {
	keys := make([]core.UUID, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b core.UUID) int { return slices.Compare(a[:], b[:]) })
	return keys
}

func (b *graphBuilder) sorted() []*core.GraphNode {
	nodes := make([]*core.GraphNode, 0, len(b.nodes))
	for _, n := range b.nodes {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *core.GraphNode) int {
		return cmp.Or(cmp.Compare(a.StartTime, b.StartTime), cmp.Compare(a.EndTime, b.EndTime), slices.Compare(a.ID[:], b.ID[:]))
	})
	return nodes
}

// graphArtifacts are the run's artifacts by task run, results left out; those
// of the run itself stand under the zero id.
func (s *Service) graphArtifacts(ctx context.Context, id core.UUID) (map[core.UUID][]core.GraphArtifact, error) {
	out := map[core.UUID][]core.GraphArtifact{}
	latest := map[string]core.UUID{}
	f := &core.ArtifactFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{id}}}
	var all []*core.Artifact
	for page := (core.Page{Limit: core.MaxLimit, Sort: "CREATED_DESC"}); len(all) < maxGraphNodes; page.Offset += core.MaxLimit {
		some, err := s.store.Artifacts(ctx, f, page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < core.MaxLimit {
			break
		}
	}
	slices.Reverse(all)
	for _, a := range all {
		if core.Deref(a.Type) == "result" {
			continue
		}
		ga := core.GraphArtifact{ID: a.ID, Created: a.Created, Key: a.Key, Type: a.Type, IsLatest: a.Key == nil}
		if a.Key != nil {
			if _, known := latest[*a.Key]; !known {
				c, err := s.store.ArtifactCollection(ctx, *a.Key)
				if err != nil && !core.IsNotFound(err) {
					return nil, err
				}
				if c != nil {
					latest[*a.Key] = c.LatestID
				}
			}
			ga.IsLatest = latest[*a.Key] == a.ID
		}
		if core.Deref(a.Type) == "progress" {
			ga.Data = a.Data
		}
		out[a.TaskRunID] = append(out[a.TaskRunID], ga)
	}
	return out, nil
}

// FlowRunDependencies is the older form of the graph: every task run, started
// or not. ENotFound if the run does not exist.
func (s *Service) FlowRunDependencies(ctx context.Context, id core.UUID) ([]core.Dependency, error) {
	if _, err := s.store.FlowRun(ctx, id); err != nil {
		return nil, err
	}
	out := []core.Dependency{}
	var after core.UUID
	for {
		tasks, err := s.store.TaskRunsOf(ctx, id, after, graphPage)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			after = t.ID
			out = append(out, dependencyOf(t))
		}
		if len(tasks) < graphPage {
			return out, nil
		}
	}
}

func dependencyOf(t *core.TaskRun) core.Dependency {
	d := core.Dependency{ID: t.ID, Name: t.Name, Upstream: []core.TaskRunInput{}, State: t.State, ExpectedStartTime: t.ExpectedStartTime,
		StartTime: t.StartTime, EndTime: t.EndTime, TotalRunTime: t.TotalRunTime, EstimatedRunTime: t.EstimatedRunTime}
	if t.State != nil {
		d.UntrackableResult = t.State.Details.UntrackableResult
	}
	for _, list := range inputsOf(t) {
		for _, in := range list {
			if !in.ID.IsZero() && !slices.Contains(d.Upstream, in) {
				d.Upstream = append(d.Upstream, in)
			}
		}
	}
	slices.SortFunc(d.Upstream, func(a, b core.TaskRunInput) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return d
}
