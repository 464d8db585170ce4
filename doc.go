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
// executed again within its run, whatever crashes. A task call is identified by
// its name, its input, and the ordinal of the call with that input, so goroutines
// may call tasks in any order and code may change between attempts. If the type of
// an input changes, a finished call is recognized by its stored input. [KeyBy] and
// [Renamed] keep the identity of calls through other changes. A side effect
// happens at least once: pass [Info.IdempotencyKey] to the other system to make
// it once.
//
// # Where runs go
//
// Within a run, calls belong to that run. Outside a run, the context says where
// they go: one of [Connection.Context] leads to that server, one of an App of
// package runtime/embed to the App, and one of InMemory of that package to a store
// in memory, with the same semantics until the program stops it. In any other
// context, calls return an error. A flow binary, see [Main], connects to the server
// that the environment variable FLOWLITE_API_URL names.
package flowlite
