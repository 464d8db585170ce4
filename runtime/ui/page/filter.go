package page

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// One is the filter of one id.
func One(id core.UUID) *core.IDFilter { return &core.IDFilter{Any: []core.UUID{id}} }

// StateFilter turns tones into types and names; Late is a name of SCHEDULED.
func StateFilter(tones map[string]bool) *core.StateFilter {
	var types []core.StateType
	var names []string
	for tone := range tones {
		switch tone {
		case "late":
			names = append(names, core.NameLate)
		case "scheduled":
			names = append(names, core.Scheduled.Name(), core.NameAwaitingRetry, core.NameResuming, core.NameAwaitingConcurrencySlot)
		case "cancelled":
			types = append(types, core.Cancelled, core.Cancelling)
		default:
			for _, t := range core.StateTypes {
				if views.Tone(t, "") == tone {
					types = append(types, t)
				}
			}
		}
	}
	switch {
	case len(types) > 0 && len(names) > 0:
		return &core.StateFilter{Operator: core.Or, Type: &core.StateTypeFilter{Any: types}, Name: &core.TextFilter{Any: names}}
	case len(types) > 0:
		return &core.StateFilter{Type: &core.StateTypeFilter{Any: types}}
	case len(names) > 0:
		// The type says nothing more, but it has an index.
		return &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Scheduled}}, Name: &core.TextFilter{Any: names}}
	}
	return nil
}

// Like is a search for part of a name; nil for none.
func Like(s string) *core.TextFilter {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return &core.TextFilter{Contains: &s}
}

// ByType is the filter of runs in states of the types.
func ByType(types ...core.StateType) *core.FlowRunFilter {
	return &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: types}}}
}
