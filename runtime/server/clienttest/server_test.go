package clienttest

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/server"
)

// startServer starts what `flowlite up` starts, without a flows folder.
func startServer(t *testing.T, d dbtest.Engine) *server.Server {
	t.Helper()
	log := &errorLog{}
	s, err := server.New(server.Config{
		Port: -1, Home: t.TempDir(), WorkDir: t.TempDir(), DatabaseURL: d.URL(t), Worker: true, DrainGrace: time.Second,
		Version: "test", Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if text := log.String(); text != "" {
			t.Errorf("the server logged errors:\n%s", text)
		}
	})
	return s
}

type errorLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *errorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
