package bustest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// FreePort is a port of 127.0.0.1 for a program that may be started on it again
// and again. It is below those that systems hand out by themselves (from 32768
// on Linux): while the program is down, another's connection could have such a
// port.
func FreePort(tb testing.TB) string {
	tb.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	tb.Fatal("no free port between 10000 and 20000")
	return ""
}
