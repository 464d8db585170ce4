package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/retention"
)

// retainFlags say how long a server keeps history.
type retainFlags struct {
	RetainRuns   keep `env:"FLOWLITE_RETAIN_RUNS" default:"90d" placeholder:"DURATION" help:"how long runs are kept after their end, with their tasks, logs, artifacts and results; off: for ever; default: ${default}"`
	RetainEvents keep `env:"FLOWLITE_RETAIN_EVENTS" default:"7d" placeholder:"DURATION" help:"how long events are kept; off: for ever; default: ${default}"`
	RetainLogs   keep `env:"FLOWLITE_RETAIN_LOGS" default:"90d" placeholder:"DURATION" help:"how long logs are kept, also of runs that are; off: for ever; default: ${default}"`
}

func (f retainFlags) retention() retention.Periods {
	return retention.Periods{Runs: time.Duration(f.RetainRuns), Events: time.Duration(f.RetainEvents), Logs: time.Duration(f.RetainLogs)}
}

// keep is a length, or below zero for ever.
type keep time.Duration

func (k *keep) UnmarshalText(b []byte) error {
	switch strings.ToLower(strings.TrimSpace(string(b))) {
	case "0", "off", "never", "forever":
		*k = -1
		return nil
	}
	d, err := parseLength(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write 30d, 12h or off", string(b))
	}
	if *k = keep(d); d == 0 {
		*k = -1
	}
	return nil
}
