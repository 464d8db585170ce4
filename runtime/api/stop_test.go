package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// TestStop: who waits when the server stops is told so, and is not told that
// there is nothing; who has gone is told nothing.
func TestStop(t *testing.T) {
	w := memory(t)
	w.post(201, "/work_pools/", object{"name": "p", "type": "process"})
	run := w.run(w.flow("f"), nil)
	h := w.srv.Config.Handler
	for _, s := range []struct{ method, path, body string }{
		{"POST", "/api/work_pools/p/poll", `{"holder":"` + core.NewID().String() + `","free":1,"wait":30}`},
		{"GET", "/api/flow_runs/" + run["id"].(string) + "/wait?state_id=" + run["state_id"].(string), ""},
	} {
		for cause, status := range map[error]int{core.Errorf(core.EUnavailable, "the server is stopping"): 503, context.Canceled: 0} {
			ctx, stop := context.WithCancelCause(t.Context())
			r := httptest.NewRequest(s.method, s.path, strings.NewReader(s.body)).WithContext(ctx)
			out := &unwritten{ResponseRecorder: httptest.NewRecorder()}
			go func() {
				<-w.bus.subscribed
				stop(cause)
			}()
			h.ServeHTTP(out, r)
			if out.status != status || status == 503 && !strings.Contains(out.Body.String(), "stopping") {
				t.Errorf("%s, %v: %d %s, want %d", s.path, cause, out.status, out.Body, status)
			}
		}
	}
}

// unwritten tells a response that nobody wrote from a 200.
type unwritten struct {
	*httptest.ResponseRecorder
	status int
}

func (u *unwritten) WriteHeader(status int) {
	u.status = status
	u.ResponseRecorder.WriteHeader(status)
}

var _ http.ResponseWriter = (*unwritten)(nil)
