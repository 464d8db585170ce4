package flowlite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

type mainParams struct {
	N int `json:"n" jsonschema:"default=3,description=how many"`
}

func testFlows() map[string]flowlite.AnyFlow {
	twice := flowlite.NewFlow("twice", func(_ context.Context, p mainParams) (int, error) { return 2 * p.N, nil },
		flowlite.Deploys(flowlite.Deployment{Name: "hourly", Interval: time.Hour, Parameters: mainParams{5}, Tags: []string{"t"}}))
	plain := flowlite.NewFlow("plain", func(context.Context, struct{}) (string, error) { return "", nil })
	return map[string]flowlite.AnyFlow{"Twice": twice, "Plain": plain}
}

// commanded is what a command of the flow binary prints.
func commanded(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	ctx, stop := embed.InMemory(t.Context())
	defer stop()
	err := flowlite.RunProgram(ctx, testFlows(), &out, args...)
	return out.String(), err
}

func TestDescribe(t *testing.T) {
	out, err := commanded(t, "describe")
	if err != nil {
		t.Fatal(err)
	}
	var r flowlite.Registry
	if err := json.Unmarshal([]byte(out), &r); err != nil {
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
	c, err := flowlite.Deployment{Name: "x"}.Create(testFlows()["Plain"])
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
		if _, err := commanded(t, args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

func TestRunCommand(t *testing.T) {
	if out, err := commanded(t, "run", "Twice", "-p", "n=4"); err != nil || out != "8\n" {
		t.Fatal(out, err)
	}
	if out, err := commanded(t, "run", "twice"); err != nil || out != "6\n" {
		t.Fatal("defaults:", out, err)
	}
	_, err := commanded(t, "run", "Twice", "-p", "n=many")
	if err == nil || !strings.Contains(err.Error(), "n") {
		t.Fatal(err)
	}
}
