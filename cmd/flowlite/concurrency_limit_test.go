package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	rest "github.com/flowlite/flowlite/runtime/api"
	"github.com/flowlite/flowlite/runtime/bus"
)

// TestLimitCommands runs them in order against a real API.
func TestLimitCommands(t *testing.T) {
	store, err := db.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	b := bus.NewMemory()
	service := local.New(local.Config{Store: store, Bus: b})
	srv := httptest.NewServer(rest.New(rest.Config{
		Runs: service.Service, Limits: service.Limits, Blocks: service.Blocks, Automations: service.Automations, Variables: service.Variables,
		Artifacts: service.Artifacts, SavedSearches: service.SavedSearches, Logs: service.Logs, Events: service.Events, Retention: service.Trimmer, Store: rest.StoreOf(store), Bus: b}))
	t.Cleanup(func() { srv.Close(); _ = service.Stop(context.Background()); _ = b.Close(); _ = store.Close() })
	for _, c := range []struct {
		args string
		code int
		want string // in what is printed
	}{
		{"concurrency-limit create slow 2", 0, "slow to 2"},
		{"concurrency-limit create slow 3", 0, "slow to 3"},
		{"concurrency-limit ls -o name", 0, "slow"},
		{"concurrency-limit inspect slow", 0, "slow"},
		{"concurrency-limit reset slow", 0, "Reset"},
		{"concurrency-limit reset none", 3, "no limit of tag none"},
		{"concurrency-limit delete slow", 2, "--yes"},
		{"concurrency-limit delete slow -y", 0, "Deleted"},
		{"concurrency-limit inspect slow", 3, "no limit of tag slow"},
		{"gcl create db --limit 2", 0, "Created db"},
		{"gcl create db --limit 2", 1, "already"},
		{"global-concurrency-limit create rate -l 5 --slot-decay-per-second 0.5", 0, "Created rate"},
		{"gcl update db", 2, "--limit"},
		{"gcl update db --limit 4 --active-slots 1", 0, "Updated db"},
		{"gcl inspect db -o json", 0, `"active_slots": 1`},
		{"gcl ls", 0, "0.5/s"},
		{"gcl disable db", 0, "Disabled db"},
		{"gcl inspect db -o json", 0, `"active": false`},
		{"gcl enable db", 0, "Enabled db"},
		{"gcl update db --name base", 0, "Updated base"},
		{"gcl inspect db", 3, "no global limit db"},
		{"gcl delete base -y", 0, "Deleted base"},
	} {
		code, stdout, stderr := call(t, srv.URL+"/api", strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%s: exit %d, %q %q; want %d and %q", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
}
