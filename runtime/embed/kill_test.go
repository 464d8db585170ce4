package embed_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

// shopEnv makes the test binary a shop that takes orders until it is killed.
const shopEnv = "EMBED_TEST_SHOP"

func shipping() *flowlite.Flow[order, int] {
	return flowlite.NewFlow("ship", func(_ context.Context, o order) (int, error) { return o.Number, nil })
}

// TestShopProgram is no test, but the program that TestKilledShop kills.
func TestShopProgram(t *testing.T) {
	kind := os.Getenv(shopEnv)
	if kind == "" {
		t.Skip("a part of TestKilledShop")
	}
	h := hostOf(t, kind, os.Getenv(shopEnv+"_DSN"))
	first, _ := strconv.Atoi(os.Getenv(shopEnv + "_FIRST"))
	ship := shipping()
	cfg := h.cfg
	cfg.Home = os.Getenv(shopEnv + "_HOME")
	app := startApp(t, cfg, ship)
	for number := first; ; number++ {
		err := h.within(t.Context(), func(tx any, exec func(string, ...any) error) error {
			if err := exec("INSERT INTO orders (number, run) VALUES ($1, $2)", number, "-"); err != nil {
				return err
			}
			run, err := ship.StartTx(t.Context(), app, tx, order{number})
			if err != nil {
				return err
			}
			if number%3 == 2 {
				return errNoStock
			}
			return exec("UPDATE orders SET run = $1 WHERE number = $2", run.ID(), number)
		})
		if err != nil && !errors.Is(err, errNoStock) {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintln(os.Stdout, "order", number)
	}
}

func hostOf(t *testing.T, kind, dsn string) *host {
	t.Helper()
	if kind == "pgx" {
		return pgxHost(t, dsn)
	}
	return sqlHost(t, kind, dsn)
}

// A shop is killed again and again at some moment. In the end each order in its
// database has a run, which has completed, and there is no other run.
func TestKilledShop(t *testing.T) {
	for kind, dsn := range map[string]func() string{
		"pgx": func() string { return postgresURL(t) },
		"sqlite": func() string {
			return "file:" + filepath.Join(t.TempDir(), "shop.db") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_txlock=immediate"
		},
	} {
		t.Run(kind, func(t *testing.T) {
			at, home := dsn(), t.TempDir()
			h := hostOf(t, kind, at)
			h.exec(t, "CREATE TABLE orders (number INTEGER PRIMARY KEY, run TEXT NOT NULL)")
			random := rand.New(rand.NewPCG(3, 4))
			first := 0
			for range 8 {
				first += 1000
				kill(t, 1+random.IntN(30), shopEnv+"="+kind, shopEnv+"_DSN="+at, shopEnv+"_HOME="+home, shopEnv+"_FIRST="+strconv.Itoa(first))
			}
			cfg := h.cfg
			cfg.Home, cfg.Logger = home, slog.New(slog.DiscardHandler)
			app := startApp(t, cfg, shipping())
			orders := h.count("SELECT COUNT(*) FROM orders")
			for n := h.count("SELECT COUNT(*) FROM " + h.starts()); n > 0; n = h.count("SELECT COUNT(*) FROM " + h.starts()) {
				if t.Context().Err() != nil {
					t.Fatalf("%d starts have not become runs", n)
				}
			}
			runs := allRuns(t, app)
			if len(runs) != orders || orders == 0 {
				t.Errorf("%d orders, %d runs", orders, len(runs))
			}
			seen := map[any]bool{}
			for _, r := range runs {
				number := r.Parameters.Map()["number"]
				if seen[number] {
					t.Errorf("order %v has two runs", number)
				}
				seen[number] = true
				run, err := flowlite.Attach[int](t.Context(), app, r.ID.String())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := run.Get(t.Context()); err != nil {
					t.Error(err)
				}
			}
			t.Logf("%d orders", orders)
		})
	}
}

func (h *host) starts() string {
	if h.name == "sqlite" {
		return "flowlite_start"
	}
	return "flowlite.flowlite_start"
}

func allRuns(t *testing.T, app *embed.App) (all []*core.FlowRun) {
	t.Helper()
	for {
		page, err := app.Client().FlowRuns(t.Context(), core.Filters{}, core.Page{Offset: len(all)})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

// kill starts the shop and kills it after so many orders.
func kill(t *testing.T, orders int, env ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "TestShopProgram$", "-test.v")
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	text := ""
	for orders > 0 && lines.Scan() {
		text = lines.Text()
		if len(text) > 6 && text[:6] == "order " {
			orders--
		}
	}
	if orders > 0 {
		t.Errorf("the shop ended by itself: %s", text)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
