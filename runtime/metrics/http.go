package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type routeKey struct {
	method, route string
	status        int // hundreds
}

// Wrap measures the requests that next answers. The route is the pattern that
// matched, so that IDs in addresses make no series.
func (m *Metrics) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		s := &statusWriter{ResponseWriter: w}
		defer func() {
			if s.status == http.StatusSwitchingProtocols || strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
				return
			}
			if s.status == 0 {
				s.status = http.StatusOK
			}
			m.observer(routeKey{method(r.Method), route(r.Pattern), s.status / 100}).Observe(time.Since(begin).Seconds())
		}()
		next.ServeHTTP(s, r)
	})
}

// method is one of those of HTTP, since a client can send any word.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return name
	}
	return other
}

// route is a pattern without its method.
func route(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		pattern = path
	}
	if pattern == "" {
		return "none"
	}
	return pattern
}

func (m *Metrics) observer(k routeKey) prometheus.Observer {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.routes[k]
	if o == nil {
		o = m.requests.WithLabelValues(k.method, k.route, strconv.Itoa(k.status)+"xx")
		m.routes[k] = o
	}
	return o
}

// statusWriter notes the status. Unwrap gives http.ResponseController, and with
// it streams and websockets, the writer below.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}
