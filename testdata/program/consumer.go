package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/flowlite/flowlite"
)

type consumerParams struct {
	Messages int `json:"messages"`
}

// consumer returns what it receives. CONSUMER_KILL is the time of its death, in
// microseconds after the flow begins.
var consumer = flowlite.NewFlow("consumer", func(ctx context.Context, p consumerParams) ([]int, error) {
	if n, err := strconv.Atoi(os.Getenv("CONSUMER_KILL")); err == nil {
		time.AfterFunc(time.Duration(n)*time.Microsecond, kill)
	}
	got := []int{}
	for range p.Messages {
		n, err := flowlite.Receive[int](ctx, "orders", time.Minute)
		if err != nil {
			return nil, err
		}
		got = append(got, n)
	}
	return got, nil
})
