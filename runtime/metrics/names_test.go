package metrics

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

var update = flag.Bool("update", false, "write the table of metrics in docs/monitoring.md")

const page = "../../docs/monitoring.md"

// everything is the scrape of a server on which each metric has a value.
func everything(t *testing.T) families {
	t.Helper()
	s, at := start(t, server.Config{Worker: true})
	o, ctx := s.Service(), t.Context()
	flow, err := o.CreateFlow(ctx, core.FlowCreate{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.CreateGlobalLimit(ctx, core.GlobalConcurrencyLimitCreate{Name: "db", Limit: 1}); err != nil {
		t.Fatal(err)
	}
	run, err := o.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: flow.ID, State: &core.StateCreate{Type: core.Scheduled}})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []core.StateType{core.Running, core.Completed} {
		if _, err := o.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: state}, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.EmitEvents(ctx, []*core.Event{{ID: core.NewID(), Occurred: core.Now(), Event: "prefect.task-run.Running",
		Resource: map[string]string{"prefect.resource.id": "prefect.task-run." + core.NewID().String(), "prefect.state-type": "RUNNING"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: flow.ID, State: &core.StateCreate{Type: core.Scheduled}}); err != nil {
		t.Fatal(err)
	}
	get(t, s.APIURL()+"/health", "")
	return scrape(t, at)
}

// The documentation has each metric, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n")
	all := everything(t)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if strings.HasPrefix(name, "flowlite_") && !yield(name) {
				return
			}
		}
	}) {
		f := all[name]
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", name, strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), "| Metric |")
	if !ok {
		t.Fatal("docs/monitoring.md has no table of metrics")
	}
	want := before + table.String()
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("the table in docs/monitoring.md is out of date; run go test ./runtime/metrics -run Documented -update")
	}
	if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Alerts, dashboards, and the documentation name metrics that exist, with
// expressions that Prometheus can read.
func TestExpressionsAreValid(t *testing.T) {
	all := everything(t)
	files, err := filepath.Glob("../../infra/grafana/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	at := scraper(t, freeAddr(t))
	until(t, func() bool { _, err := http.Get(at + "/-/ready"); return err == nil }) //nolint:noctx // a question of a test
	for _, file := range append(files, rules, page) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`flowlite_[a-z_]+`).FindAllString(string(text), -1) {
			base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
			if all[name] == nil && all[base] == nil {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
		for _, m := range regexp.MustCompile(`"expr": "(.*)",`).FindAllStringSubmatch(string(text), -1) {
			expr := strings.NewReplacer(`\"`, `"`, "$job", "flowlite").Replace(m[1])
			if status, body := get(t, at+"/api/v1/query?query="+url.QueryEscape(expr), ""); status != http.StatusOK {
				t.Errorf("%s: %s\n%s", file, expr, body)
			}
		}
	}
}
