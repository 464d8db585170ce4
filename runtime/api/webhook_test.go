package api

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/core"
)

// hooked makes a webhook and returns its path and what calls it.
func hooked(t *testing.T, w *fixture, body object) (run object, path string, call func(method, kind, body string, header ...string) (int, string)) {
	t.Helper()
	run = w.run(w.flow("hooked"), nil)
	made := w.post(201, "/flow_runs/"+run["id"].(string)+"/webhooks", body)
	url := made["url"].(string)
	if url[:len(hookURL)] != hookURL || len(url) != len(hookURL)+len("/api/webhooks/")+43 {
		t.Fatal(url)
	}
	path = url[len(hookURL):]
	return run, path, func(method, kind, body string, header ...string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, w.srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := w.srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if own := resp.StatusCode != 403 && resp.StatusCode != 405; own && (resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Referrer-Policy") == "") {
			t.Error("the answer may be kept:", resp.Header)
		}
		return resp.StatusCode, string(b)
	}
}

func (w *fixture) received(run object, topic string) any {
	w.Helper()
	id, err := core.ParseUUID(run["id"].(string))
	if err != nil {
		w.Fatal(err)
	}
	m, err := w.service.ReceiveMessage(w.Context(), id, core.MessageRequest{Topics: []string{topic}, By: core.NewID().String()})
	if err != nil {
		w.Fatal(err)
	}
	if m == nil {
		return nil
	}
	return string(m.Value)
}

// A webhook delivers one message. Looking at it changes nothing, and using it again
// says that it was delivered.
func TestWebhook(t *testing.T) {
	w := memory(t)
	run, _, call := hooked(t, w, object{"topic": "t", "description": "Approve <b>?", "expires_in": 60})
	for _, accept := range []string{"", "text/html,*/*;q=0.8"} {
		for range 2 {
			status, text := call("GET", "", "", "Accept", accept)
			if want := map[bool]string{true: "Approve &lt;b&gt;?", false: `"topic":"t"`}[accept != ""]; status != 200 || !strings.Contains(text, want) {
				t.Error(status, text)
			}
		}
		if status, _ := call("HEAD", "", "", "Accept", accept); status == 410 || w.received(run, "t") != nil {
			t.Error("a look has used the URL", status)
		}
	}
	for body, want := range map[string]int{strings.Repeat("1", core.MaxMessageValue+1): 422, strings.Repeat("1", 1<<20): 413, "no json": 422} {
		if status, text := call("POST", "application/json", body); status != want {
			t.Error(status, want, text)
		}
	}
	if status, _ := call("POST", "application/json", `1`, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Error("a page of another origin can post:", status)
	}
	if status, text := call("POST", "application/json", `{"ok":true}`); status != 200 || !strings.Contains(text, "delivered") {
		t.Fatal(status, text)
	}
	equal(t, "message", w.received(run, "t"), `{"ok":true}`)
	for _, method := range []string{"POST", "GET"} {
		if status, text := call(method, "application/json", `{"ok":false}`); status != 410 || !strings.Contains(text, "works once") {
			t.Error(status, text)
		}
	}
	if w.received(run, "t") != nil {
		t.Error("a second message was delivered")
	}
}

// Many requests at once deliver one message.
func TestWebhookWorksOnce(t *testing.T) {
	w := memory(t)
	run, _, call := hooked(t, w, object{"topic": "t"})
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range 20 {
		all.Go(func() {
			status, _ := call("POST", "application/json", `1`)
			mu.Lock()
			defer mu.Unlock()
			got[status]++
		})
	}
	all.Wait()
	if got[200] != 1 || got[410] != 19 {
		t.Error(got)
	}
	equal(t, "message", w.received(run, "t"), `{"value":1}`)
	if w.received(run, "t") != nil {
		t.Error("two messages were delivered")
	}
}

func TestWebhookBodies(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct{ kind, body, want string }{
		{"application/json", `"yes"`, `{"value":"yes"}`},
		{"", ``, `{"value":null}`},
		{"text/plain; charset=utf-8", `yes, do`, `{"value":"yes, do"}`},
		{form, "a=1&b=2&b=3", `{"a":"1","b":["2","3"]}`},
		{form, "message=x", `{"message":"x"}`},
		{form, webhookForm + "=1&message=yes", `{"value":"yes"}`},
		{form, webhookForm + "=1&message=%7B%22a%22%3A1%7D", `{"a":1}`},
		{form, webhookForm + "=1&message=", `{"value":null}`},
	} {
		w := memory(t)
		run, _, call := hooked(t, w, object{"topic": "t"})
		if status, text := call("POST", c.kind, c.body, "Accept", "text/html"); status != 200 || !strings.Contains(text, "<h1>Delivered</h1>") {
			t.Error(status, text)
		}
		equal(t, c.body, w.received(run, "t"), c.want)
	}
	w := memory(t)
	run, _, call := hooked(t, w, object{"topic": "t", "value": object{"approved": true}})
	if _, page := call("GET", "", "", "Accept", "text/html"); strings.Contains(page, "<textarea") {
		t.Error("the message is given, and the page asks for one")
	}
	call("POST", "application/json", `{"approved":false}`)
	equal(t, "given", w.received(run, "t"), `{"approved":true}`)
}

// A webhook ends when it expires and when its run ends; a wrong token is 404, not 410.
func TestWebhookEnds(t *testing.T) {
	w := memory(t)
	run, _, call := hooked(t, w, object{"topic": "t", "expires_in": 0.02})
	for deadline := time.Now().Add(10 * time.Second); ; {
		status, text := call("GET", "", "")
		if status == 410 && strings.Contains(text, "expired") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(status, text)
		}
	}
	if status, _ := call("POST", "application/json", `1`); status != 410 || w.received(run, "t") != nil {
		t.Error(status)
	}
	run, _, call = hooked(t, w, object{"topic": "t"})
	w.state(201, run, "ACCEPT", "RUNNING", nil)
	w.state(201, run, "ACCEPT", "COMPLETED", nil)
	if status, text := call("POST", "application/json", `1`); status != 410 || !strings.Contains(text, "has ended") {
		t.Error(status, text)
	}
	w.post(409, "/flow_runs/"+run["id"].(string)+"/webhooks", object{"topic": "t"})
	w.do(404, "POST", "/flow_runs/"+core.NewID().String()+"/webhooks", object{"topic": "t"})
	for _, body := range []object{{"topic": "no topic"}, {"topic": "t", "expires_in": -1}, {"topic": "t", "expires_in": 1e9}, {"topic": "t",
		"description": strings.Repeat("x", core.MaxWebhookDescription+1)}, {"topic": "t", "value": strings.Repeat("x", core.MaxMessageValue)}} {
		w.do(422, "POST", "/flow_runs/"+run["id"].(string)+"/webhooks", body)
	}
	w.do(404, "GET", "/webhooks/"+strings.Repeat("A", 43), nil)
}

// The token opens a server that asks for credentials and for CSRF tokens, wrong ones
// are counted, and none is in the log, not even of a failure.
func TestWebhookNeedsOnlyItsToken(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	w := memory(t)
	run, path, _ := hooked(t, w, object{"topic": "t"})
	cfg := access.Config{AuthString: "admin:secret", Log: logger}
	c := w.config
	c.Access, c.Webhooks, c.CSRF, c.CSRFKey, c.Log = access.New(cfg), access.NewThrottle(cfg), true, make([]byte, 32), logger
	a := New(c)
	try := func(method, path string) int {
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
		return rec.Code
	}
	if got := try("POST", "/api/flow_runs/filter"); got != 401 {
		t.Fatal(got)
	}
	if got := try("GET", path); got != 200 {
		t.Error(got)
	}
	if got := try("POST", path); got != 200 || w.received(run, "t") == nil {
		t.Error(got)
	}
	for n := range 12 {
		want := 404
		if n >= 10 {
			want = 429
		}
		if got := try("POST", path+"x"); got != want {
			t.Error(n, got)
		}
	}
	c.Runs, c.Webhooks = nil, nil // panics
	New(c).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	if text := log.String(); !strings.Contains(text, "panicked") || strings.Contains(text, path[len("/api/webhooks/"):]) {
		t.Error("the log has the token: ", text)
	}
}
