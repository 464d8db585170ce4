package flowlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

type orderOf struct {
	ID    string
	Count int
}

var errStock = errors.New("out of stock")

// shop is a flow that completes, fails, or asks, as its order says.
func shop() *flowlite.Flow[orderOf, string] {
	return flowlite.NewFlow("shop", func(ctx context.Context, o orderOf) (string, error) {
		switch o.ID {
		case "fails":
			return "", errStock
		case "hangs":
			<-ctx.Done()
			return "", context.Cause(ctx)
		case "asks":
			a, err := flowlite.Pause[struct{ Which string }](ctx, flowlite.Ask{Description: "which?"})
			return a.Which, err
		}
		return "sold " + o.ID, nil
	})
}

// places are Runners of an App with the flows: the App itself, and a connection to
// it over HTTP, on both databases.
func places(t *testing.T, test func(t *testing.T, on flowlite.Runner, server *client.Client), flows ...flowlite.AnyFlow) {
	for _, e := range dbtest.Engines(t) {
		app, err := embed.New(embed.Config{Port: -1, NoUI: true, Home: t.TempDir(), DatabaseURL: e.URL(t), AuthString: "a:secret",
			Logger: slog.New(slog.DiscardHandler)}, flows...)
		if err != nil {
			t.Fatal(err)
		}
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = app.Stop(context.Background()) })
		t.Run(e.Name+"/app", func(t *testing.T) { test(t, app, app.Client()) })
		t.Run(e.Name+"/http", func(t *testing.T) {
			c, err := flowlite.Connect(app.Client().URL(), flowlite.Auth("a:secret"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close(context.Background()) })
			test(t, c, app.Client())
		})
	}
}

func TestStartedRuns(t *testing.T) {
	f := shop()
	places(t, func(t *testing.T, on flowlite.Runner, _ *client.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := func(id string, opts ...flowlite.StartOption) *flowlite.Run[string] {
			t.Helper()
			r, err := f.Start(ctx, on, orderOf{ID: id}, opts...)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		is := func(err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%v is not %v", err, want)
			}
		}
		run := start("7", flowlite.Named("first"), flowlite.Priority(3), flowlite.RunTags("a", "b"))
		if got, err := run.Get(ctx); got != "sold 7" || err != nil {
			t.Error(got, err)
		}
		if s, err := run.Status(ctx); err != nil || !s.Done() || s.State != "COMPLETED" || s.Attempt != 1 || s.Ended.Before(s.Started) || s.Started.IsZero() {
			t.Error(s, err)
		}
		again, err := flowlite.Attach[string](ctx, on, run.ID())
		if err != nil || again.Name() != "first" {
			t.Fatal(again, err)
		}
		if got, err := again.Get(ctx); got != "sold 7" || err != nil {
			t.Error(got, err)
		}

		_, err = start("fails").Get(ctx)
		if failed, ok := errors.AsType[*flowlite.RunError](err); !ok || failed.State != "FAILED" || failed.Message != errStock.Error() {
			t.Error(err)
		}

		later := start("8", flowlite.Delay(time.Hour))
		if s, err := later.Status(ctx); err != nil || s.State != "SCHEDULED" || time.Until(s.Due) < 50*time.Minute || s.Attempt != 0 || !s.Started.IsZero() {
			t.Error(s, err)
		}
		is(later.Retry(ctx), flowlite.ErrConflict)
		if err := later.Cancel(ctx); err != nil {
			t.Error(err)
		}
		_, err = later.Get(ctx)
		is(err, flowlite.ErrCancelled)
		is(later.Cancel(ctx), flowlite.ErrConflict)
		is(later.Answer(ctx, map[string]string{"Which": "x"}), flowlite.ErrConflict)
		is(later.Answer(ctx, "x"), flowlite.ErrInvalid)

		hangs := start("hangs")
		await(ctx, t, hangs, "RUNNING")
		if err := hangs.Cancel(ctx); err != nil {
			t.Error(err)
		}
		_, err = hangs.Get(ctx)
		is(err, flowlite.ErrCancelled)

		asks := start("asks")
		await(ctx, t, asks, "PAUSED")
		is(asks.Answer(ctx, map[string]int{"Which": 5}), flowlite.ErrInvalid)
		if err := asks.Answer(ctx, map[string]string{"Which": "this"}); err != nil {
			t.Fatal(err)
		}
		if got, err := asks.Get(ctx); got != "this" || err != nil {
			t.Error(got, err)
		}
		if err := run.Retry(ctx); err != nil {
			t.Error(err)
		}
		await(ctx, t, run, "COMPLETED")
	}, f)
}

// await looks until a run is in a state.
func await(ctx context.Context, t *testing.T, r *flowlite.Run[string], state string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := r.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.State == state {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the run is %s, not %s", s.State, state)
		}
	}
}

func TestIdempotencyKeys(t *testing.T) {
	f := shop()
	places(t, func(t *testing.T, on flowlite.Runner, _ *client.Client) {
		ctx := t.Context()
		key := flowlite.IdempotencyKey("order-" + t.Name())
		first, err := f.Start(ctx, on, orderOf{"9", 1}, key)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // before and after its end
			again, err := f.Start(ctx, on, orderOf{"9", 1}, key)
			if err != nil || again.ID() != first.ID() {
				t.Fatal(again, err)
			}
			if _, err := again.Get(ctx); err != nil {
				t.Fatal(err)
			}
		}
		_, err = f.Start(ctx, on, orderOf{"9", 2}, key)
		if !errors.Is(err, flowlite.ErrConflict) ||
			!regexp.MustCompile(`"Count": ?1.*"Count": ?2`).MatchString(err.Error()) {
			t.Error(err)
		}
		a, err := f.Start(ctx, on, orderOf{"9", 1}, flowlite.IdempotencyKey(""))
		b, err2 := f.Start(ctx, on, orderOf{"9", 1}, flowlite.IdempotencyKey(""))
		if err != nil || err2 != nil || a.ID() == b.ID() {
			t.Error(a, b, err, err2)
		}
	}, f)
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	f := shop()
	absent := flowlite.NewFlow("absent", func(context.Context, orderOf) (string, error) { return "", nil })
	var start error
	inside := flowlite.NewFlow("inside", func(ctx context.Context, _ struct{}) (bool, error) {
		_, start = f.Start(ctx, nil, orderOf{})
		return true, nil
	})
	places(t, func(t *testing.T, on flowlite.Runner, _ *client.Client) {
		ctx := t.Context()
		for name, c := range map[string]struct {
			got  func() error
			want error
		}{
			"not deployed": {func() error { _, err := absent.Start(ctx, on, orderOf{}); return err }, flowlite.ErrNotFound},
			"no such deployment": {func() error { _, err := f.Start(ctx, on, orderOf{}, flowlite.OnDeployment("x")); return err },
				flowlite.ErrNotFound},
			"no such queue": {func() error { _, err := f.Start(ctx, on, orderOf{}, flowlite.Queue("x")); return err }, flowlite.ErrNotFound},
			"no runner":     {func() error { _, err := f.Start(ctx, nil, orderOf{}); return err }, flowlite.ErrNotConnected},
			"no ID":         {func() error { _, err := flowlite.Attach[string](ctx, on, "x"); return err }, flowlite.ErrInvalid},
			"no such run": {func() error {
				_, err := flowlite.Attach[string](ctx, on, "0197d9f5-6d6b-7d77-9d55-a0fd5f5d0a2a")
				return err
			}, flowlite.ErrNotFound},
			"inside": {func() error {
				r, err := inside.Start(ctx, on, struct{}{})
				if err == nil {
					_, err = r.Get(ctx)
				}
				return errors.Join(err, start)
			}, flowlite.ErrInvalid},
		} {
			err := c.got()
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v is not %v", name, err, c.want)
			}
			if text := err.Error(); strings.Contains(text, "--") || strings.Contains(text, "FLOWLITE_") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}, f, inside)
}

// An event of the flow's own code is emitted once, however often the code runs.
func TestEventsAreEmittedOnce(t *testing.T) {
	attempts := 0
	f := flowlite.NewFlow("announces", func(ctx context.Context, _ struct{}) (int, error) {
		attempts++
		for range 2 { // the same payload twice is two events
			if err := flowlite.Emit(ctx, "shop.opened", map[string]int{"door": 1}); err != nil {
				return 0, err
			}
		}
		if attempts%3 != 0 {
			return 0, errStock
		}
		return attempts, flowlite.Emit(ctx, "shop.opened", map[string]int{"door": 2})
	}, flowlite.Retries(2))
	places(t, func(t *testing.T, on flowlite.Runner, server *client.Client) {
		r, err := f.Start(t.Context(), on, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		body := map[string]any{"filter": map[string]any{"event": map[string]any{"name": []string{"shop.opened"}},
			"resource": map[string]any{"id": []string{"prefect.flow-run." + r.ID()}}}}
		raw, err := server.Raw(t.Context(), "POST", "/events/filter", body)
		var page struct{ Total int }
		if err := errors.Join(err, json.Unmarshal(raw, &page)); err != nil || page.Total != 3 {
			t.Errorf("%d events in three attempts, want 3: %v", page.Total, err)
		}
	}, f)
}

// TestStartMany creates many runs at once, all or none, in process and over HTTP.
func TestStartMany(t *testing.T) {
	f := shop()
	places(t, func(t *testing.T, on flowlite.Runner, server *client.Client) {
		orders := make([]orderOf, 150)
		for i := range orders {
			orders[i] = orderOf{fmt.Sprint("many ", i), i}
		}
		key := flowlite.IdempotencyKey("batch " + t.Name())
		opts := []flowlite.StartOption{key, flowlite.RunTags("many"), flowlite.Delay(time.Hour), flowlite.Priority(3), flowlite.Queue("default")}
		runs, err := f.StartMany(t.Context(), on, orders, opts...)
		if err != nil || len(runs) != len(orders) {
			t.Fatal(len(runs), err)
		}
		for _, i := range []int{0, 70, 149} {
			id, _ := core.ParseUUID(runs[i].ID())
			run, err := server.FlowRun(t.Context(), id)
			if err != nil || fmt.Sprint(run.Parameters.Map()["Count"]) != fmt.Sprint(i) || run.Priority != 3 || !slices.Equal(run.Tags, []string{"many"}) ||
				run.StateType != core.Scheduled || run.Name != runs[i].Name() || time.Until(run.ExpectedStartTime.Time()) < time.Minute {
				t.Fatal(i, run, err)
			}
		}
		again, err := f.StartMany(t.Context(), on, orders, opts...)
		if err != nil || again[0].ID() != runs[0].ID() || again[149].ID() != runs[149].ID() {
			t.Fatal("the same key gave other runs", err)
		}
		orders[100].Count = -1
		if _, err := f.StartMany(t.Context(), on, orders, opts...); !errors.Is(err, flowlite.ErrConflict) || !strings.Contains(err.Error(), "run 101") {
			t.Fatal(err)
		}
		before := countRuns(t, server)
		if _, err := f.StartMany(t.Context(), on, orders, flowlite.Queue("none")); !errors.Is(err, flowlite.ErrNotFound) {
			t.Fatal(err)
		}
		if _, err := f.StartMany(t.Context(), on, make([]orderOf, 10_001)); !errors.Is(err, flowlite.ErrInvalid) {
			t.Fatal(err)
		}
		if none, err := f.StartMany(t.Context(), on, nil); err != nil || len(none) != 0 {
			t.Fatal(none, err)
		}
		if after := countRuns(t, server); after != before {
			t.Fatal("a refused call created runs:", before, after)
		}
		few, err := f.StartMany(t.Context(), on, []orderOf{{"a", 1}, {"b", 1}, {"c", 1}})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"sold a", "sold b", "sold c"} {
			if got, err := few[i].Get(t.Context()); err != nil || got != want {
				t.Error(got, err)
			}
		}
	}, f)
}

func countRuns(t *testing.T, c *client.Client) int64 {
	t.Helper()
	n, err := c.CountFlowRuns(t.Context(), core.Filters{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
