package embed_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

// host is a program's own database, and its way of writing in transactions.
type host struct {
	name string
	cfg  embed.Config
	// within runs fn in a transaction, and commits it if fn returns nil.
	within func(ctx context.Context, fn func(tx any, exec func(text string, args ...any) error) error) error
	count  func(text string) int
}

func postgresURL(t *testing.T) string {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			return e.URL(t)
		}
	}
	t.Fatal("no PostgreSQL among the engines")
	return ""
}

// hosts are programs with pgx, with pgx by database/sql, and with SQLite.
func hosts(t *testing.T, each func(t *testing.T, h *host)) {
	t.Run("pgx", func(t *testing.T) { each(t, pgxHost(t, postgresURL(t))) })
	t.Run("database/sql on PostgreSQL", func(t *testing.T) { each(t, sqlHost(t, "pgx", postgresURL(t))) })
	t.Run("SQLite", func(t *testing.T) {
		each(t, sqlHost(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "shop.db")+"?_pragma=busy_timeout(5000)&_txlock=immediate"))
	})
}

func pgxHost(t *testing.T, url string) *host {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &host{
		name: "pgx", cfg: embed.Config{Pool: pool},
		within: func(ctx context.Context, fn func(any, func(string, ...any) error) error) error {
			return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				return fn(tx, func(text string, args ...any) error { _, err := tx.Exec(ctx, text, args...); return err })
			})
		},
		count: func(text string) (n int) {
			if err := pool.QueryRow(t.Context(), text).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		},
	}
}

func sqlHost(t *testing.T, driver, dsn string) *host {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &host{
		name: driver, cfg: embed.Config{DB: db},
		within: func(ctx context.Context, fn func(any, func(string, ...any) error) error) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if err := fn(tx, func(text string, args ...any) error { _, err := tx.ExecContext(ctx, text, args...); return err }); err != nil {
				return err
			}
			return tx.Commit()
		},
		count: func(text string) (n int) {
			if err := db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		},
	}
}

func (h *host) exec(t *testing.T, text string) {
	t.Helper()
	if err := h.within(t.Context(), func(_ any, exec func(string, ...any) error) error { return exec(text) }); err != nil {
		t.Fatal(err)
	}
}

type order struct {
	Number int `json:"number"`
}

var errNoStock = errors.New("out of stock")

// A shop writes an order and starts its run in one transaction. Some transactions
// fail after that. At the end, there is a run for each order, and no other.
func TestOrdersAndRunsAreTheSame(t *testing.T) {
	hosts(t, func(t *testing.T, h *host) {
		h.exec(t, "CREATE TABLE orders (number INTEGER PRIMARY KEY, run TEXT NOT NULL)")
		var mu sync.Mutex
		ran := map[int]int{}
		ship := flowlite.NewFlow("ship", func(_ context.Context, o order) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			ran[o.Number]++
			return o.Number, nil
		})
		app := startApp(t, h.cfg, ship)
		random := rand.New(rand.NewPCG(1, 2))
		committed := map[int]*flowlite.Run[int]{}
		rolledBack := map[int]*flowlite.Run[int]{}
		for number := range 200 {
			var run *flowlite.Run[int]
			err := h.within(t.Context(), func(tx any, exec func(string, ...any) error) (err error) {
				if run, err = ship.StartTx(t.Context(), app, tx, order{number}, flowlite.RunTags("order")); err != nil {
					return err
				}
				if err := exec("INSERT INTO orders (number, run) VALUES ($1, $2)", number, run.ID()); err != nil {
					return err
				}
				if random.IntN(3) == 0 {
					return errNoStock
				}
				return nil
			})
			switch {
			case err == nil:
				committed[number] = run
			case errors.Is(err, errNoStock):
				rolledBack[number] = run
			default:
				t.Fatal(err)
			}
		}
		for number, run := range committed {
			if got, err := run.Get(t.Context()); err != nil || got != number {
				t.Fatal(number, got, err)
			}
		}
		for number, run := range rolledBack {
			if _, err := run.Status(t.Context()); !errors.Is(err, flowlite.ErrNotFound) {
				t.Errorf("the run of order %d, which was rolled back: %v", number, err)
			}
		}
		runs, err := app.Client().FlowRuns(t.Context(), core.Filters{}, core.Page{})
		if err != nil || len(runs) != len(committed) || h.count("SELECT COUNT(*) FROM orders") != len(runs) {
			t.Errorf("%d runs, %d orders, %d commits (%v)", len(runs), h.count("SELECT COUNT(*) FROM orders"), len(committed), err)
		}
		mu.Lock()
		defer mu.Unlock()
		for number := range 200 {
			if want := committed[number] != nil; (ran[number] == 1) != want || ran[number] > 1 {
				t.Errorf("order %d ran %d times", number, ran[number])
			}
		}
		if len(rolledBack) < 30 {
			t.Errorf("only %d of 200 transactions were rolled back", len(rolledBack))
		}
	})
}

func TestStartTxMeansStart(t *testing.T) {
	hosts(t, func(t *testing.T, h *host) {
		gate := make(chan struct{})
		close(gate)
		flow := flowlite.NewFlow("greet", func(_ context.Context, o order) (int, error) { <-gate; return o.Number, nil })
		app := startApp(t, h.cfg, flow)
		start := func(o order, opts ...flowlite.StartOption) (run *flowlite.Run[int], err error) {
			err = h.within(t.Context(), func(tx any, _ func(string, ...any) error) (err error) {
				run, err = flow.StartTx(t.Context(), app, tx, o, opts...)
				return err
			})
			return run, err
		}
		one, err := start(order{1}, flowlite.IdempotencyKey("k"), flowlite.Named("first"), flowlite.Priority(7), flowlite.RunTags("x"))
		if err != nil || one.Name() != "first" {
			t.Fatal(one, err)
		}
		again, err := start(order{1}, flowlite.IdempotencyKey("k")) // perhaps before the run is there
		if err != nil || again.ID() != one.ID() || again.Name() != "first" {
			t.Fatal(again.ID(), again.Name(), one.ID(), err)
		}
		if _, err := start(order{2}, flowlite.IdempotencyKey("k")); !errors.Is(err, flowlite.ErrConflict) {
			t.Error("other parameters:", err)
		}
		if got, err := one.Get(t.Context()); err != nil || got != 1 {
			t.Fatal(got, err)
		}
		if again, err = start(order{1}, flowlite.IdempotencyKey("k")); err != nil || again.ID() != one.ID() {
			t.Fatal("after its end:", again, err)
		}
		direct, err := flow.Start(t.Context(), app, order{1}, flowlite.IdempotencyKey("k"))
		if err != nil || direct.ID() != one.ID() {
			t.Fatal("Start with the same key:", direct, err)
		}
		id, _ := core.ParseUUID(one.ID())
		run, err := app.Client().FlowRun(t.Context(), id)
		if err != nil || run.Priority != 7 || !strings.Contains(fmt.Sprint(run.Tags), "x") {
			t.Error(run, err)
		}
		found, err := flowlite.Attach[int](t.Context(), app, one.ID())
		if err != nil || found.Name() != "first" {
			t.Error(found, err)
		}

		if _, err := start(order{1}, flowlite.Queue("none")); !errors.Is(err, flowlite.ErrNotFound) {
			t.Error("a queue that is not there:", err)
		}
		if _, err := start(order{1}, flowlite.OnDeployment("none")); !errors.Is(err, flowlite.ErrNotFound) {
			t.Error("a deployment that is not there:", err)
		}
		if _, err := start(order{1}, flowlite.Named(strings.Repeat("x", 10_000))); !errors.Is(err, flowlite.ErrInvalid) {
			t.Error("a name that is too long:", err)
		}
		for _, tx := range []any{nil, 1, h.cfg.Pool, h.cfg.DB} {
			if _, err := flow.StartTx(t.Context(), app, tx, order{1}); !errors.Is(err, flowlite.ErrInvalid) {
				t.Errorf("%T: %v", tx, err)
			}
		}
		elsewhere := sqlHost(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "other.db"))
		_ = elsewhere.within(t.Context(), func(tx any, _ func(string, ...any) error) error {
			if _, err := flow.StartTx(t.Context(), app, tx, order{1}); !errors.Is(err, flowlite.ErrInvalid) {
				t.Error("a transaction on another database:", err)
			}
			return nil
		})
		connection, err := flowlite.Connect(app.URL())
		if err != nil {
			t.Fatal(err)
		}
		_ = h.within(t.Context(), func(tx any, _ func(string, ...any) error) error {
			if _, err := flow.StartTx(t.Context(), connection, tx, order{1}); !errors.Is(err, flowlite.ErrInvalid) || !strings.Contains(err.Error(), "Config.Pool") {
				t.Error("a connection:", err)
			}
			if _, err := flow.StartTx(app.Context(t.Context()), nil, tx, order{1}); !errors.Is(err, flowlite.ErrNotConnected) {
				t.Error("no Runner:", err)
			}
			return nil
		})
	})
}

// A start that was committed when its program died becomes a run at the next start.
func TestCommittedStartOutlivesTheApp(t *testing.T) {
	hosts(t, func(t *testing.T, h *host) {
		flow := flowlite.NewFlow("late", func(_ context.Context, o order) (int, error) { return o.Number, nil })
		cfg := h.cfg
		cfg.Home = t.TempDir()
		app := startApp(t, cfg, flow)
		run := map[string]*flowlite.Run[int]{}
		for _, key := range []string{"", "k"} {
			err := h.within(t.Context(), func(tx any, _ func(string, ...any) error) (err error) {
				if run[key], err = flow.StartTx(t.Context(), app, tx, order{3}, flowlite.IdempotencyKey(key)); err != nil {
					return err
				}
				return app.Stop(context.Background()) // before the commit: nothing may start
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range run {
			found, err := flowlite.Attach[int](t.Context(), app, r.ID())
			for errors.Is(err, flowlite.ErrNotFound) && t.Context().Err() == nil {
				found, err = flowlite.Attach[int](t.Context(), app, r.ID())
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := found.Get(t.Context()); err != nil || got != 3 {
				t.Fatal(got, err)
			}
		}
		runs, err := app.Client().FlowRuns(t.Context(), core.Filters{}, core.Page{})
		if err != nil || len(runs) != 2 {
			t.Fatal(len(runs), err)
		}
	})
}

func ExampleConfig() {
	db, err := sql.Open("sqlite", "file:shop?mode=memory&cache=shared")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	_, err = embed.New(embed.Config{DB: db, Schema: "flows", Logger: slog.New(slog.DiscardHandler)})
	fmt.Println(err)
	// Output: Config.Schema is "flows", and SQLite has no schemas; leave it out, or use a PostgreSQL database
}
