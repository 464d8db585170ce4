package db

import (
	"net"
	"time"
)

// deadAfter is how long a database host may leave packets unanswered. The
// kernel's own patience is a quarter of an hour, in which every request that
// had a connection would hang.
const deadAfter = 15 * time.Second

func dialer() *net.Dialer {
	return &net.Dialer{
		Control:         boundSilence,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 2},
	}
}
