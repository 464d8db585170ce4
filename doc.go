// Package flowlite is the Go SDK: durable flows and tasks as plain functions.
//
//	var add = flowlite.NewTask("add", func(ctx context.Context, p Pair) (int, error) {
//		return p.X + p.Y, nil
//	}, flowlite.Retries(2, 5*time.Second))
//
//	var Adder = flowlite.NewFlow("adder", func(ctx context.Context, p AdderParams) (int, error) {
//		return add.Run(ctx, Pair{p.A, p.B})
//	})
//
// A task's result is on disk before Run returns, and a finished task is never
// executed again within its run, whatever crashes. Its identity is its name,
// its input and the how-manieth call with that input, so goroutines may call
// tasks in any order and code may change between attempts. A side effect is at
// least once: hand [Info.IdempotencyKey] to the other system to make it once.
//
// Runs are stored by the App that the program has started ([New]), else by the
// server of FLOWLITE_API_URL, else in memory, with the same semantics until the
// program ends. [Use] names another server. A log line says which it is.
//
// Import law: a façade. It may import every package of runtime; only cmd
// imports it, and users.
package flowlite
