package trigger_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// prefectMatches asks Prefect's own classes about cases of a spec and resources,
// and of a list of patterns and an event's name.
const prefectMatches = `
import json, sys
from prefect.server.events.schemas.events import ResourceSpecification, Resource
from prefect.server.events.schemas.automations import EventTrigger
out = []
for c in json.load(sys.stdin):
    spec = ResourceSpecification.model_validate(c["spec"])
    t = EventTrigger(expect=set(c["expect"]), posture="Reactive", threshold=1)
    out.append([spec.includes([Resource.model_validate(r) for r in c["resources"]]), t.expects(c["event"])])
json.dump(out, sys.stdout)
`

// TestTriggersAsPrefect checks specs and event names against Prefect itself.
func TestTriggersAsPrefect(t *testing.T) {
	type question struct {
		Spec      map[string]any      `json:"spec"`
		Resources []map[string]string `json:"resources"`
		Expect    []string            `json:"expect"`
		Event     string              `json:"event"`
	}
	r := rand.New(rand.NewPCG(3, 4))
	all := make([]question, 4000)
	for i := range all {
		q := question{Spec: labelled(r), Resources: []map[string]string{}, Expect: []string{}, Event: pick(r, words)}
		for range r.IntN(3) {
			q.Resources = append(q.Resources, resource(r, false))
		}
		q.Expect = append(q.Expect, some(r, 3, func() string { return pattern(r) })...)
		all[i] = q
	}
	dirs := filepath.SplitList(os.Getenv("FLOWLITE_TEST_PREFECT"))
	if len(dirs) == 0 {
		t.Skip("FLOWLITE_TEST_PREFECT names no virtualenv with Prefect")
	}
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dirs[0], "bin", "python"), "-c", prefectMatches)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), os.Stderr
	cmd.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers [][2]bool
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(all) {
		t.Fatalf("%d answers: %v", len(answers), err)
	}
	for i, q := range all {
		m := trigger.Compile(&core.Automation{}, &core.Trigger{Expect: q.Expect})
		if got := [2]bool{trigger.SpecOf(q.Spec).Includes(q.Resources...), m.Expects(q.Event)}; got != answers[i] {
			t.Fatalf("%s: includes, expects: %v, Prefect says %v", core.ToJSON(q), got, answers[i])
		}
	}
}
