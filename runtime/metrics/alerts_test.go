package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

const rules = "../../infra/prometheus/alerts.yml"

// program is a program that CI must have.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("CI is set, but %s is not installed", name)
	default:
		t.Skipf("%s is not installed", name)
	}
	return path
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scraper is a Prometheus that scrapes target each second, with our alerts firing at once.
func scraper(t *testing.T, target string) (url string) {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^( +for: ).*$`).ReplaceAll(text, []byte("${1}0s"))
	config := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [alerts.yml]\n"+
		"scrape_configs:\n  - job_name: flowlite\n    static_configs:\n      - targets: [%q]\n", target)
	for name, text := range map[string][]byte{"alerts.yml": text, "prometheus.yml": []byte(config)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := freeAddr(t)
	c := exec.Command(program(t, "prometheus"), "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=warn")
	c.Stderr = t.Output()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
	})
	return "http://" + addr
}

// firing are the names of the alerts that fire.
func firing(ctx context.Context, url string) []string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/alerts", nil)
	if err != nil {
		return nil
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil // it is starting
	}
	defer res.Body.Close()
	var body struct {
		Data struct {
			Alerts []struct {
				State  string
				Labels struct{ Alertname string }
			}
		}
	}
	_ = json.NewDecoder(res.Body).Decode(&body)
	var names []string
	for _, a := range body.Data.Alerts {
		if a.State == "firing" {
			names = append(names, a.Labels.Alertname)
		}
	}
	return names
}

// until looks until it holds.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	limit := time.After(90 * time.Second)
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("it never came to hold")
		}
	}
}

// TestEachAlertFires in a real Prometheus, for the reason that it names.
func TestEachAlertFires(t *testing.T) {
	database := dbtest.Engines(t)[1].URL(t)
	// Another server, which Prometheus does not know, holds the services' leases.
	_, _ = start(t, server.Config{DatabaseURL: database, EncryptionKey: key})
	metricsAddr := freeAddr(t)
	s, _ := start(t, server.Config{DatabaseURL: database, EncryptionKey: key, MetricsAddr: metricsAddr})
	url := scraper(t, metricsAddr)
	o, ctx := s.Service(), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	flow, err := o.CreateFlow(ctx, core.FlowCreate{Name: "shop"})
	must(err)
	_, err = o.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "idle", Type: "process"})
	must(err)
	_, err = o.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: flow.ID, WorkPoolName: core.Ptr("idle"),
		State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.Now().Add(-time.Hour)}}})
	must(err)
	_, err = o.CreateGlobalLimit(ctx, core.GlobalConcurrencyLimitCreate{Name: "db", Limit: 1})
	must(err)
	_, err = o.AcquireSlots(ctx, core.SlotRequest{Slots: 1, Names: []string{"db"}})
	must(err)

	seen := map[string]bool{}
	// fire provokes what it is told each time it looks, until the alerts fire.
	fire := func(provoke func(), want ...string) {
		t.Helper()
		t.Logf("provoking %q", want)
		until(t, func() bool {
			provoke()
			now := firing(ctx, url)
			for _, name := range now {
				seen[name] = true
			}
			return !slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(now, name) })
		})
	}
	fire(func() {
		_, err := o.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: flow.ID, State: &core.StateCreate{Type: core.Failed}})
		must(err)
		_, _ = o.AcquireSlots(ctx, core.SlotRequest{Slots: 1, Names: []string{"db"},
			Holder: core.ToJSON(map[string]any{"type": "flow_run", "id": core.NewID()})})
	}, "FlowliteRunsLate", "FlowliteNoWorker", "FlowliteRunsFailing", "FlowliteSlotsExhausted", "FlowliteServiceUnheld")
	for _, name := range []string{"FlowliteDown", "FlowliteDatabaseDown", "FlowliteServiceFailing", "FlowliteBusDown"} {
		if seen[name] {
			t.Errorf("%s fired while the server was well", name)
		}
	}

	dbtest.AllowConnections(t, database, false)
	dbtest.EndSessions(t, database)
	fire(func() {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.APIURL()+"/flows/", strings.NewReader(`{"name":"refused"}`))
		must(err)
		r.Header.Set("Content-Type", "application/json")
		if res, err := http.DefaultClient.Do(r); err == nil {
			_ = res.Body.Close()
		}
	}, "FlowliteDatabaseDown", "FlowliteDatabaseWriteErrors", "FlowliteServiceFailing", "FlowliteBusDown", "FlowliteServerErrors")
	dbtest.AllowConnections(t, database, true)

	if err := s.Stop(ctx); err != nil {
		t.Log(err) // the database was away
	}
	fire(func() {}, "FlowliteDown")

	text, err := os.ReadFile(rules)
	must(err)
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllSubmatch(text, -1) {
		if !seen[string(m[1])] {
			t.Errorf("nothing here makes the alert %s fire", m[1])
		}
	}
}

const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func TestRulesAreValid(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", rules}, {"check", "config", "../../infra/prometheus/prometheus.yml"}} {
		if out, err := exec.CommandContext(t.Context(), program(t, "promtool"), args...).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
