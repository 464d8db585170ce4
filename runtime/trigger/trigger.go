package trigger

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Matcher is an event trigger made ready to be held against many events.
type Matcher struct {
	*core.Trigger
	AutomationID core.UUID
	match        Spec
	related      []Spec
}

// Compile makes an event trigger of an automation ready.
func Compile(a *core.Automation, t *core.Trigger) *Matcher {
	return &Matcher{Trigger: t, AutomationID: a.ID, match: SpecOf(t.Match), related: RelatedSpecs(t.MatchRelated)}
}

// Expects reports whether an event of that name counts.
func (t *Matcher) Expects(event string) bool {
	return len(t.Expect) == 0 || MatchesAny(t.Expect, event)
}

// StartsAfter reports whether an event of that name opens a bucket.
func (t *Matcher) StartsAfter(event string) bool { return MatchesAny(t.After, event) }

// Covers tells whether the event concerns the trigger.
func (t *Matcher) Covers(e *core.Event) bool {
	if !t.Expects(e.Event) && !t.StartsAfter(e.Event) || t.ownDoing(e) {
		return false
	}
	if !t.match.Includes(e.Resource) {
		return false
	}
	for _, spec := range t.related {
		if !spec.Includes(e.Related...) {
			return false
		}
	}
	return true
}

// ownDoing: what automations do is an event for those only that ask for it by
// its name, and never for the automation that did it: they would set each
// other off for ever.
func (t *Matcher) ownDoing(e *core.Event) bool {
	const doing = "prefect.automation."
	if !strings.HasPrefix(e.Event, doing) {
		return false
	}
	asked := slices.ContainsFunc(slices.Concat(t.Expect, t.After), func(p string) bool { return strings.HasPrefix(p, doing) })
	return !asked || e.ResourceID() == doing+t.AutomationID.String()
}

// Key is the event's values of the for_each labels, as stored; labels has them by name.
func (t *Matcher) Key(e *core.Event) string {
	values := []string{}
	for _, label := range t.forEach() {
		values = append(values, findLabel(e, label))
	}
	key := string(core.ToJSON(values))
	if len(key) <= maxBucketKey {
		return key
	}
	for i, v := range values {
		if len(v) > sha256.Size {
			values[i] = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(v)))
		}
	}
	return string(core.ToJSON(values))
}

// maxBucketKey is from when on the long values of a key are hashed: an index
// of PostgreSQL holds it.
const maxBucketKey = 2000

func (t *Matcher) forEach() []string {
	labels := slices.Clone(t.ForEach)
	slices.Sort(labels)
	return slices.Compact(labels)
}

// Labels returns the values of a key by the names of their labels.
func (t *Matcher) Labels(key string) map[string]string {
	var values []string
	_ = json.Unmarshal([]byte(key), &values)
	labels := map[string]string{}
	for i, label := range t.forEach() {
		if i < len(values) {
			labels[label] = values[i]
		}
	}
	return labels
}

// findLabel is a label of the resource, or with "related:role:label" of the
// first related resource in that role.
func findLabel(e *core.Event, label string) string {
	if rest, ok := strings.CutPrefix(label, "related:"); ok {
		role, name, _ := strings.Cut(rest, ":")
		for _, r := range e.Related {
			if r["prefect.resource.role"] == role {
				return r[name]
			}
		}
		return ""
	}
	return e.Resource[label]
}
