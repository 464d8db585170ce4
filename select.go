package flowlite

import (
	"context"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Case is what Select waits for: the result of OnMessage, OnFuture, or OnTimer.
type Case struct {
	c    engine.Case
	take func(message core.JSON) error
}

// OnMessage is the case that a message to topic arrives. If it comes first, the
// message is received, and is in into when Select returns.
func OnMessage[T any](topic string, into *T) Case {
	take := func(message core.JSON) error { return decodeMessage(topic, message, into) }
	return Case{engine.Case{Topic: topic, Schema: messageSchema[T]}, take}
}

// OnFuture is the case that a submitted call has ended; its Get says how.
func OnFuture[Out any](f *Future[Out]) Case { return Case{c: engine.Case{Future: f.raw()}} }

// OnTimer is the case that d has passed since the flow first called this Select.
func OnTimer(d time.Duration) Case { return Case{c: engine.Case{Timer: true, After: d}} }

// Select waits for the first of the cases and returns its index. The winner is
// recorded: a process that continues the run gets the same one. Of the others,
// messages stay for the next receiver, timers end, and futures go on: to end a
// future that has lost, cancel the context that its call was submitted with.
//
// If several have come, a message goes before a future, and that before a timer. A
// deployed run whose Select has waited for 10 s without a future among its cases is
// suspended, as in Receive. Select belongs into a flow, not into a task.
func Select(ctx context.Context, cases ...Case) (int, error) {
	list := make([]engine.Case, len(cases))
	for i, c := range cases {
		list[i] = c.c
	}
	won, err := engine.Select(ctx, list)
	if err != nil {
		return -1, err
	}
	if won.Case >= len(cases) {
		return -1, fmt.Errorf("select: an earlier version of the code had a case %d, which came first", won.Case)
	}
	if take := cases[won.Case].take; take != nil {
		return won.Case, take(won.Value)
	}
	return won.Case, nil
}
