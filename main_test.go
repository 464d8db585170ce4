package flowlite

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

type mainParams struct {
	N int `json:"n" jsonschema:"default=3,description=how many"`
}

func testProgram() (*program, *bytes.Buffer) {
	twice := NewFlow("twice", func(_ context.Context, p mainParams) (int, error) { return 2 * p.N, nil },
		Deploys(Deployment{Name: "hourly", Interval: time.Hour, Parameters: mainParams{5}, Tags: []string{"t"}}))
	plain := NewFlow("plain", func(context.Context, struct{}) (string, error) { return "", nil })
	var out bytes.Buffer
	return &program{flows: map[string]AnyFlow{"Twice": twice, "Plain": plain}, out: &out}, &out
}

func TestDescribe(t *testing.T) {
	p, out := testProgram()
	if err := p.run(t.Context(), []string{"describe"}); err != nil {
		t.Fatal(err)
	}
	var r registry
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Flows) != 2 || r.Flows[0].Entrypoint != "Plain" || r.Flows[0].Deployments[0].Name != "local" {
		t.Fatal(out)
	}
	d := r.Flows[1].Deployments[0]
	if d.Name != "hourly" || string(d.Schedules.V[0].Rule) == "" || string(d.Parameters.V) == "" || !strings.Contains(string(r.Flows[1].Schema), "how many") {
		t.Fatal(out)
	}
}

// A declaration says only what it sets.
func TestUnsaidDeployment(t *testing.T) {
	p, _ := testProgram()
	c, err := Deployment{Name: "x"}.create(p.flows["Plain"].Erased(), "")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for k := range core.ToJSON(c).Map() {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if got := strings.Join(keys, " "); got != "flow_id name parameter_openapi_schema path pull_steps storage_document_id" {
		t.Errorf("a deployment with nothing but a name says %s", got)
	}
}

func TestCommandsThatCannotBe(t *testing.T) {
	for _, args := range [][]string{nil, {"fly"}, {"run", "Nobody"}, {"run", "Twice", "-p", "n"}, {"deploy"}} {
		p, _ := testProgram()
		if err := p.run(t.Context(), args); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

func TestRunCommand(t *testing.T) {
	p, out := testProgram()
	if err := p.run(t.Context(), []string{"run", "Twice", "-p", "n=4"}); err != nil || out.String() != "8\n" {
		t.Fatal(out, err)
	}
	out.Reset()
	if err := p.run(t.Context(), []string{"run", "twice"}); err != nil || out.String() != "6\n" {
		t.Fatal("defaults:", out, err)
	}
	err := p.run(t.Context(), []string{"run", "Twice", "-p", "n=many"})
	if err == nil || !strings.Contains(err.Error(), "n") {
		t.Fatal(err)
	}
}
