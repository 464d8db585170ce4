package flowlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
	_ "modernc.org/sqlite"
)

func ExampleFlow_StartTx() {
	type order struct{ Number int }
	ship := flowlite.NewFlow("ship", func(_ context.Context, o order) (string, error) { return fmt.Sprintf("shipped %d", o.Number), nil })
	ctx := context.Background()
	dir, _ := os.MkdirTemp("", "shop")
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db")+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	app, err := embed.New(embed.Config{DB: db, Home: dir, Port: -1, NoUI: true}, ship)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(ctx)

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tx.Rollback()
	_, err = tx.ExecContext(ctx, "CREATE TABLE orders (number INTEGER); INSERT INTO orders VALUES (7)")
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := ship.StartTx(ctx, app, tx, order{7}, flowlite.IdempotencyKey("order-7"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tx.Commit(); err != nil { // the order and its run, or neither
		fmt.Println(err)
		return
	}
	fmt.Println(run.Get(ctx))
	// Output: shipped 7 <nil>
}
