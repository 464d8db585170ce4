package server

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sdk stands in for the root package, so that a build takes a moment.
const sdk = `package flowlite

import "os"

type AnyFlow interface{ Name() string }
type Flow struct{ name string }

func (f *Flow) Name() string { return f.name }
func NewFlow(name string, deployments string) *Flow { return &Flow{name + "\",\"deployments\":[" + deployments + "],\"description\":\""} }

func MainEntrypoints(flows map[string]AnyFlow) {
	out, sep := "", ""
	for k, f := range flows {
		out, sep = out+sep+"{\"entrypoint\":\""+k+"\",\"name\":\""+f.Name()+"\",\"parameter_openapi_schema\":{\"type\":\"object\"}}", ","
	}
	os.Stdout.WriteString("{\"flows\":[" + out + "]}\n")
}
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func flowSource(v, name, deployments string) string {
	return "package flows\n\nimport \"github.com/flowlite/flowlite\"\n\nvar " + v + " = flowlite.NewFlow(\"" + name + "\", `" + deployments + "`)\n"
}

func TestFlowsFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	cfg := testConfig(t)
	dir := cfg.WorkDir
	write(t, filepath.Join(dir, "go.mod"), "module example.com/shop\n\ngo 1.26\n\nrequire github.com/flowlite/flowlite v0.0.0\n\nreplace github.com/flowlite/flowlite => ./sdk\n")
	write(t, filepath.Join(dir, "sdk/go.mod"), "module github.com/flowlite/flowlite\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "sdk/sdk.go"), sdk)
	reports := make(chan FlowsReport, 20)
	cfg.FlowsDir, cfg.OnFlows, cfg.Worker = "flows", func(r FlowsReport) { reports <- r }, true
	next := func(what string, ok func(FlowsReport) bool) FlowsReport {
		t.Helper()
		end := time.NewTimer(30 * time.Second)
		defer end.Stop()
		for {
			select {
			case r := <-reports:
				if ok(r) {
					return r
				}
			case <-end.C:
				t.Fatalf("no report that says: %s", what)
			}
		}
	}
	names := func(r FlowsReport, changed bool) string {
		var all []string
		for _, d := range r.Deployments {
			if d.Changed || !changed {
				all = append(all, d.Name+"@"+d.Entrypoint)
			}
		}
		return strings.Join(all, " ")
	}
	s := start(t, cfg)
	next("missing", func(r FlowsReport) bool { return r.Missing })

	write(t, filepath.Join(dir, "flows/adder.go"), flowSource("Adder", "adder", `{"name":"adder-dev","schedules":[{"schedule":{"interval":3600}}],"tags":["x"]}`))
	next("adder", func(r FlowsReport) bool { return names(r, true) == "adder/adder-dev@flows/adder.go:Adder" })
	ctx := context.Background()
	d, err := s.Store().DeploymentByName(ctx, "adder", "adder-dev")
	if err != nil {
		t.Fatal(err)
	}
	if *d.Path != "." || *d.Entrypoint != "flows/adder.go:Adder" || *d.WorkPoolName != "default" || len(d.Schedules) != 1 || !d.EnforceParameterSchema || d.Tags[0] != "x" {
		t.Errorf("deployment %+v", d)
	}

	// A broken file is reported with the compiler's words; what is deployed stays.
	write(t, filepath.Join(dir, "flows/etl.go"), flowSource("Etl", "etl", "")+"\nvar x int = \"\"\n")
	next("broken", func(r FlowsReport) bool {
		err := r.Problems["flows"]
		return err != nil && strings.Contains(err.Error(), "flows/etl.go:7:13")
	})
	if f := s.facts().Flows; f == nil || f.Looking || len(f.Problems) != 1 || f.Problems[0].Where != "flows" || !strings.Contains(f.Problems[0].Text, "flows/etl.go:7:13") {
		t.Errorf("the pages are told %+v", f)
	}
	write(t, filepath.Join(dir, "flows/etl.go"), flowSource("Etl", "etl", ""))
	r := next("etl", func(r FlowsReport) bool { return names(r, true) == "etl/local@flows/etl.go:Etl" })
	if f := s.facts().Flows; len(f.Problems) != 0 {
		t.Errorf("the pages are still told %+v", f)
	}
	if got := names(r, false); !strings.Contains(got, "adder/adder-dev") {
		t.Errorf("found %s", got)
	}
	after, err := s.Store().DeploymentByName(ctx, "adder", "adder-dev")
	if err != nil || after.Updated != d.Updated || after.Schedules[0].ID != d.Schedules[0].ID {
		t.Errorf("an unchanged deployment was touched: %+v, %v", after, err)
	}

	if err := os.Remove(filepath.Join(dir, "flows/adder.go")); err != nil {
		t.Fatal(err)
	}
	next("gone", func(r FlowsReport) bool { return len(r.Gone) == 1 && r.Gone[0] == "adder/adder-dev" })
	if _, err := s.Store().DeploymentByName(ctx, "adder", "adder-dev"); err != nil {
		t.Error("a deployment that is declared no longer was taken away:", err)
	}
}
