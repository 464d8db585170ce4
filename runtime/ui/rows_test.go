package ui_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/ui/uitest"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui"
)

// counted counts the rows that lists hand to the pages.
type counted struct {
	core.Store
	rows atomic.Int64
}

func count[T any](c *counted, list []T, err error) ([]T, error) {
	c.rows.Add(int64(len(list)))
	return list, err
}

func (c *counted) FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error) {
	l, err := c.Store.FlowRuns(ctx, f, p)
	return count(c, l, err)
}

func (c *counted) FlowRunsByIDs(ctx context.Context, ids []core.UUID) ([]*core.FlowRun, error) {
	l, err := c.Store.FlowRunsByIDs(ctx, ids)
	return count(c, l, err)
}

func (c *counted) TaskRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.TaskRun, error) {
	l, err := c.Store.TaskRuns(ctx, f, p)
	return count(c, l, err)
}

func (c *counted) TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) ([]*core.TaskRun, error) {
	l, err := c.Store.TaskRunsOf(ctx, flowRunID, after, limit)
	return count(c, l, err)
}

func (c *counted) Logs(ctx context.Context, f *core.LogFilter, p core.Page) ([]*core.Log, error) {
	l, err := c.Store.Logs(ctx, f, p)
	return count(c, l, err)
}

func (c *counted) Events(ctx context.Context, f *core.EventFilter, p core.Page) ([]*core.Event, error) {
	l, err := c.Store.Events(ctx, f, p)
	return count(c, l, err)
}

func (c *counted) DueFlowRuns(ctx context.Context, queueID core.UUID, before core.Time, limit int) ([]*core.FlowRun, error) {
	l, err := c.Store.DueFlowRuns(ctx, queueID, before, limit)
	return count(c, l, err)
}

// No page reads more than it shows, however much there is.
func TestRowsOfAPage(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	if err := db.Seed(ctx, url, db.SeedSize{FlowRuns: 6000, TaskRuns: 12000, Logs: 12000, Events: 6000, Days: 20}, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
	store, err := db.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	c := &counted{Store: store}
	b := bus.NewMemory()
	defer b.Close()
	quiet := slog.New(slog.DiscardHandler)
	pages := ui.New(ui.Config{Services: uitest.Services(local.New(local.Config{Store: c, Bus: b, Log: quiet})), Store: ui.StoreOf(c), Bus: b, Log: quiet})
	defer pages.Stop()
	runs, err := store.FlowRuns(ctx, core.Filters{}, core.Page{Sort: "END_TIME_DESC", Limit: 1})
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	oldest, err := store.FlowRuns(ctx, core.Filters{}, core.Page{Sort: "EXPECTED_START_TIME_ASC", Limit: 1})
	if err != nil || len(oldest) != 1 {
		t.Fatal(oldest, err)
	}
	found := "/palette?q=" + oldest[0].Name
	for path, most := range map[string]int64{
		found:        25, // also a run of three weeks ago
		"/dashboard": 30, "/runs": 201, "/runs?range=all&sort=ended": 200, "/runs?state=failed": 200, "/flows": 20 * 24, "/deployments": 50 * 24,
		"/deployments/" + runs[0].DeploymentID.String(): 80, "/flows/" + runs[0].FlowID.String(): 120, "/work-pools": 20, "/work-pools/default": 30,
		"/events": 120, "/flow-runs/" + runs[0].ID.String(): 20,
	} {
		c.rows.Store(0)
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		n := c.rows.Load()
		t.Logf("%-60s %5d rows, %6d bytes", path, n, w.Body.Len())
		if w.Code != 200 || n > most {
			t.Errorf("%s: %d, %d rows read, at most %d are shown", path, w.Code, n, most)
		}
		if path == found && !strings.Contains(w.Body.String(), oldest[0].ID.String()) {
			t.Errorf("%s does not find the oldest run", path)
		}
	}
}
