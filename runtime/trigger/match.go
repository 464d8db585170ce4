package trigger

import (
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Matches reports whether a value is as a pattern asks. A pattern may begin with
// !, which negates it, and end in *, which stands for any rest, with slashes and dots.
func Matches(pattern, value string) bool {
	bare, negated := strings.CutPrefix(pattern, "!")
	hit := bare == value
	if open, ok := strings.CutSuffix(bare, "*"); ok {
		hit = strings.HasPrefix(value, open)
	}
	return hit != negated
}

// MatchesAny reports whether one of the patterns matches: what a trigger asks of a
// label or of an event's name. A list of two negated patterns therefore matches
// nearly everything, as in Prefect.
func MatchesAny(patterns []string, value string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Matches(p, value) })
}

// Admits reports whether a filter of events lets a value pass: none of its negated
// patterns excludes the value, and one of the others matches, if there are any.
// This is what a query for stored events does, so a live stream does the same.
func Admits(patterns []string, value string) bool {
	wanted, hit := false, false
	for _, p := range patterns {
		switch {
		case !strings.HasPrefix(p, "!"):
			wanted = true
			hit = hit || Matches(p, value)
		case !Matches(p, value):
			return false
		}
	}
	return hit || !wanted
}

// Spec says which values labels must have: every label must match one of its patterns.
type Spec map[string][]string

// SpecOf reads a spec from decoded JSON, in which a label has a pattern or a list of them.
func SpecOf(m map[string]any) Spec {
	s := make(Spec, len(m))
	for key, v := range m {
		s[key] = nil // what is no text matches nothing
		switch v := v.(type) {
		case string:
			s[key] = []string{v}
		case []string:
			s[key] = v
		case []any:
			for _, x := range v {
				if text, ok := x.(string); ok {
					s[key] = append(s[key], text)
				}
			}
		}
	}
	return s
}

// RelatedSpecs reads the specs of a trigger's related resources: one, or a list.
func RelatedSpecs(j core.JSON) []Spec {
	var many []map[string]any
	if core.Unmarshal(j, &many) != nil {
		many = []map[string]any{j.Map()}
	}
	var specs []Spec
	for _, m := range many {
		if len(m) > 0 { // an empty one asks for nothing
			specs = append(specs, SpecOf(m))
		}
	}
	return specs
}

// EveryOf reports whether the spec excludes no resource of a kind.
func (s Spec) EveryOf(kind string) bool {
	return len(s) == 0 || len(s) == 1 && slices.Contains(s["prefect.resource.id"], kind+".*")
}

// Matches reports whether a resource has the labels that the spec asks for.
func (s Spec) Matches(labels map[string]string) bool {
	for key, patterns := range s {
		value, has := labels[key]
		if !has || !MatchesAny(patterns, value) {
			return false
		}
	}
	return true
}

// Includes reports whether one of the resources matches; an empty spec needs none.
func (s Spec) Includes(resources ...map[string]string) bool {
	return len(s) == 0 || slices.ContainsFunc(resources, s.Matches)
}
