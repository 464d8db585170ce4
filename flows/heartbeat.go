package flows

import (
	"context"
	"log/slog"
	"time"

	"github.com/flowlite/flowlite"
)

// Heartbeat says each minute that it is alive, and how late it was.
var Heartbeat = flowlite.NewFlow("heartbeat", func(ctx context.Context, _ struct{}) (time.Duration, error) {
	late := time.Since(flowlite.Current(ctx).Scheduled).Round(time.Millisecond)
	slog.InfoContext(ctx, "alive", "late", late)
	return late, nil
}, flowlite.Description("Runs each minute."),
	flowlite.Deploys(flowlite.Deployment{Name: "every-minute", Cron: "* * * * *", Tags: []string{"example"}}))
