package server

import (
	"context"
	"net/http"
	"sync"
)

// mount is the handler that a program puts into its own mux, for as long as the
// server runs.
type mount struct {
	mu      sync.Mutex
	handler http.Handler // nil while the server does not run
	base    context.Context
	active  int
	idle    chan struct{} // closed when active is 0, if somebody waits for that
}

func (m *mount) open(base context.Context, h http.Handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handler, m.base = h, base
}

// close refuses further requests and waits for those under way, at most until ctx
// ends.
func (m *mount) close(ctx context.Context) {
	m.mu.Lock()
	m.handler = nil
	idle := make(chan struct{})
	if m.active == 0 {
		close(idle)
	} else {
		m.idle = idle
	}
	m.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

func (m *mount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	h, base := m.handler, m.base
	if h != nil {
		m.active++
	}
	m.mu.Unlock()
	if h == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "flowlite is not running in this program now; try again in a moment.", http.StatusServiceUnavailable)
		return
	}
	defer m.leave()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(base, func() { cancel(context.Cause(base)) })()
	h.ServeHTTP(w, r.WithContext(ctx))
}

func (m *mount) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.active--; m.active == 0 && m.idle != nil {
		close(m.idle)
		m.idle = nil
	}
}
