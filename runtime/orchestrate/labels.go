package orchestrate

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// mergeLabels lays labels over each other: a parent's, the system's, the user's.
func mergeLabels(parent core.JSON, system map[string]string, user core.JSON) core.JSON {
	if isEmptyObject(parent) && isEmptyObject(user) {
		return core.ToJSON(system)
	}
	m := objectOf(parent)
	for k, v := range system {
		m[k] = core.ToJSON(v)
	}
	maps.Copy(m, objectOf(user))
	return core.ToJSON(m)
}

func isEmptyObject(j core.JSON) bool { return j.IsNull() || string(j) == "{}" }

// objectOf decodes one level; anything but an object is empty.
func objectOf(j core.JSON) map[string]core.JSON {
	m := map[string]core.JSON{}
	if !isEmptyObject(j) {
		_ = json.Unmarshal(j, &m)
	}
	if m == nil {
		m = map[string]core.JSON{}
	}
	return m
}

// overlay is base with the keys of over; nil and null are empty.
func overlay(base, over core.JSON) core.JSON {
	switch {
	case isEmptyObject(over):
		return base.OrObject()
	case isEmptyObject(base):
		return over
	}
	out, _ := base.Object()
	given, _ := over.Object()
	if out.Overlay(given); len(out) == len(given) {
		return over // nothing of base is left
	}
	return out.JSON()
}

// UpdateFlowRunLabels merges labels into the run's. ENotFound.
func (s *Service) UpdateFlowRunLabels(ctx context.Context, id core.UUID, labels core.JSON) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil {
			return flowRunError(err, id)
		}
		run.Labels = overlay(run.Labels, labels)
		run.Updated = s.now()
		out.Run(id)
		return tx.UpdateFlowRun(ctx, run)
	})
}

func withoutLabel(labels core.JSON, name string) core.JSON {
	m := labels.Map()
	if _, ok := m[name]; !ok {
		return labels
	}
	delete(m, name)
	return core.ToJSON(m)
}
