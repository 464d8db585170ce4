package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// stateNames are those of states that share a type with others.
var stateNames = []string{core.NameLate, core.NameAwaitingRetry, core.NameAwaitingConcurrencySlot, core.NameResuming, core.NameRetrying,
	core.NameRerunning, core.NameSuspended, core.NameNotReady, core.NameCached, core.NameTimedOut, core.NameSkipped}

// knownState is the type or name that is meant, however it is written.
func knownState(s string) (typ core.StateType, name string) {
	if t := core.StateType(strings.ToUpper(s)); t.Valid() {
		return t, ""
	}
	for _, n := range stateNames {
		if strings.EqualFold(n, s) {
			return "", n
		}
	}
	return "", ""
}

// unusual says what may be wrong with a state that nobody knows: flows may have
// given it its name, or somebody mistyped another. It is empty for usual ones.
func unusual(states []string) string {
	for _, s := range states {
		if t, n := knownState(s); t == "" && n == "" {
			known := slices.Clone(stateNames)
			for _, t := range core.StateTypes {
				known = append(known, t.Name())
			}
			text := fmt.Sprintf("%q is none of the usual states", s)
			if n := nearest(s, known); n != "" {
				text += ", did you mean " + n + "?"
			}
			return text
		}
	}
	return ""
}

// noRuns is what a list of runs says on a terminal when it is empty.
func noRuns(kind string, states []string) string {
	if text := unusual(states); text != "" {
		return "no " + kind + "; " + text
	}
	return "no " + kind
}

// noteUnusual says in a pipe what an empty list says on a terminal.
func (a *app) noteUnusual(found int, states []string) {
	if text := unusual(states); found == 0 && text != "" && !a.out.Terminal {
		a.out.Note("%s", text)
	}
}

// stateFilter takes types and names of states alike.
func stateFilter(states []string) map[string]any {
	types, names := []string{}, []string{}
	for _, s := range states {
		switch t, n := knownState(s); {
		case t != "":
			types = append(types, string(t))
		case n != "":
			names = append(names, n)
		default:
			names = append(names, s)
		}
	}
	return map[string]any{"operator": "or_", "type": map[string]any{"any_": types}, "name": map[string]any{"any_": names}}
}
