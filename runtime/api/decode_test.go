package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/core"
)

func request(t *testing.T, h http.Handler, method, url, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestRefused: what is wrong is refused before anything is done.
func TestRefused(t *testing.T) {
	h := bare(Config{})
	id := "00000000-0000-4000-8000-000000000000"
	for _, s := range []struct {
		method, url, body string
		status            int
		contains          string
	}{
		{"GET", "/api/flows/not-a-uuid", "", 404, `{"detail":"Not Found"}`},
		{"GET", "/api/nope", "", 404, `{"detail":"Not Found"}`},
		{"GET", "/api/", "", 404, `{"detail":"Not Found"}`},
		{"PUT", "/api/flows/filter", "{}", 405, `{"detail":"Method Not Allowed"}`},
		{"HEAD", "/api/health", "", 405, ""},
		{"POST", "/api/flows", `{"name":"x"}`, 307, ""},
		{"POST", "/api/flows/filter/", ``, 307, ""},
		{"GET", "/api/health", "", 200, "true"},
		{"GET", "/api/admin/version", "", 200, `"3.4.9"`},
		{"GET", "/api/csrf-token?client=" + id, "", 422, `{"detail":"CSRF protection is disabled."}`},
		{"GET", "/api/collections/views/aggregate-worker-metadata", "", 200, `"process"`},
		{"GET", "/api/collections/views/x", "", 404, `View x not found in registry`},
		{"POST", "/api/flows/", "", 422, `"type":"missing","loc":["body"]`},
		{"POST", "/api/flows/", "{}", 422, `"loc":["body","name"],"msg":"Field required"`},
		{"POST", "/api/flows/", "[]", 422, `model_attributes_type`},
		{"POST", "/api/flows/", "{bad", 422, `"request_body":"{bad"`},
		{"POST", "/api/flows/", `{"name":1}`, 422, `"type":"string_type","loc":["body","name"]`},
		{"POST", "/api/flow_runs/", `{"flow_id":"x"}`, 422, `uuid_parsing`},
		{"POST", "/api/flow_runs/" + id + "/set_state", `{"state":{"type":"NOPE"}}`, 422, `"loc":["body","state","type"]`},
		{"POST", "/api/flow_runs/" + id + "/set_state", `{}`, 422, `"loc":["body","state"]`},
		{"POST", "/api/flow_runs/filter", `{"flow_runs":{"bogus":{"any_":[]}}}`, 422, `"type":"extra_forbidden","loc":["body","flow_runs","bogus"]`},
		{"POST", "/api/events/filter", `{"filter":{"any_resource":{"bogus":[]}}}`, 422, `"loc":["body","filter","any_resource","EventAnyResourceFilter","bogus"]`},
		{"POST", "/api/events/filter", `{"filter":{"related":[{"id":["x"]},{"bogus":[]}]}}`, 422, `"loc":["body","filter","related","list[EventRelatedFilter]",1,"bogus"]`},
		{"POST", "/api/events/filter", `{"filter":{"related":3}}`, 422, `list_type`},
		{"POST", "/api/flow_runs/filter", `{"flow_runs":{"id":"x"}}`, 422, `"loc":["body","flow_runs","id"]`},
		{"POST", "/api/flow_runs/filter", `{"limit":201}`, 422, `{"detail":"Invalid limit: must be less than or equal to 200."}`},
		{"POST", "/api/flow_runs/filter", `{"limit":-1}`, 422, `Invalid limit`},
		{"POST", "/api/flow_runs/filter", `{"limit":0,"unknown":1}`, 200, `[]`},
		{"POST", "/api/flow_runs/filter", `{"limit":1.5}`, 422, `int_from_float`},
		{"POST", "/api/flow_runs/filter", `{"limit":"abc"}`, 422, `int_parsing`},
		{"POST", "/api/flow_runs/filter", `{"offset":-1}`, 422, `"offset"`},
		{"POST", "/api/flow_runs/filter", `{"sort":"BY_MOOD"}`, 422, `ID_DESC`},
		{"POST", "/api/flow_runs/paginate", `{"page":0}`, 422, `"page"`},
		{"POST", "/api/flow_runs/history", `{"history_start":"2026-01-01","history_end":"2026-01-02","history_interval_seconds":0.5}`, 422, `less than 1 second`},
		{"POST", "/api/flow_runs/history", `{"history_start":"2026-01-01","history_end":"2026-01-02","history_interval_seconds":1}`, 422, `buckets`},
		{"GET", "/api/flow_run_states/", "", 422, `"loc":["query","flow_run_id"]`},
		{"GET", "/api/flow_run_states/?flow_run_id=x", "", 422, `"query"`},
		{"POST", "/api/logs/", `{"name":"l"}`, 422, `list_type`},
		{"POST", "/api/logs/", `[{"name":"l","level":"INFO","message":"m","timestamp":"2026-11-23T00:00:00Z"}]`, 422, `"loc":["body",0,"level"]`},
		{"POST", "/api/logs/", `[{"name":"l","level":20,"message":"m"}]`, 422, `"loc":["body",0,"timestamp"]`},
		{"POST", "/api/events", `[{"event":"x"}]`, 422, `"loc":["body",0,"id"]`},
		{"GET", "/api/events/filter/next", "", 422, `page-token`},
		{"GET", "/api/events/filter/next?page-token=xyz", "", 403, `page token`},
		{"POST", "/api/events/filter", `{"limit":51}`, 422, `limit`},
		{"POST", "/api/v2/concurrency_limits/increment", `{"slots":0,"names":["a"]}`, 422, `greater_than`},
		{"POST", "/api/v2/concurrency_limits/increment", `{"slots":1,"names":["a"],"mode":"bogus"}`, 422, `literal_error`},
		{"POST", "/api/v2/concurrency_limits/increment-with-lease", `{"slots":1,"names":["a"],"lease_duration":5}`, 422, `lease_duration`},
		{"POST", "/api/flow_runs/" + id + "/input", `{"key":"a b","value":"x"}`, 422, `"loc":["body","key"]`},
		{"POST", "/api/task_runs/", `{"task_key":"k","dynamic_key":"0","task_inputs":{"x":[{"input_type":"bogus"}]}}`, 422, `"loc":["body","task_inputs","x",0,"Constant","type"]`},
		{"POST", "/api/task_runs/", `{"task_key":"k","dynamic_key":"0","task_inputs":{"x":{"id":"` + id + `"}}}`, 422, `list_type`},
		{"POST", "/api/task_runs/", `{"task_key":"k","dynamic_key":"0","empirical_policy":{"retry_delay":[` + strings.Repeat("1,", 50) + `1]}}`, 422, `retry_delay`},
		{"POST", "/api/admin/database/drop", `{"confirm":true}`, 403, `stop flowlite`},
	} {
		w := request(t, h, s.method, s.url, s.body)
		if w.Code != s.status || !strings.Contains(w.Body.String(), s.contains) {
			t.Errorf("%s %s %s: %d %s; want %d with %s", s.method, s.url, s.body, w.Code, w.Body, s.status, s.contains)
		}
	}
}

func TestContentType(t *testing.T) {
	h := bare(Config{})
	for contentType, status := range map[string]int{
		"text/plain": 422, "application/x-www-form-urlencoded": 422, "application/json; charset=utf-8": 200, "": 200,
	} {
		w := request(t, h, "POST", "/api/flow_runs/filter", `{"limit":0}`, "Content-Type", contentType)
		if w.Code != status {
			t.Errorf("%q: %d %s, want %d", contentType, w.Code, w.Body, status)
		}
	}
}

func TestTooLarge(t *testing.T) {
	r := httptest.NewRequest("POST", "/api/flows/", nil)
	r.ContentLength, r.Body = maxBody+1, io.NopCloser(strings.NewReader("{}"))
	w := httptest.NewRecorder()
	bare(Config{}).ServeHTTP(w, r)
	if w.Code != 413 || !strings.Contains(w.Body.String(), "32 MiB") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHeaders(t *testing.T) {
	open, locked := bare(Config{}), bare(Config{Access: access.New(access.Config{AuthString: "admin:secret"}), Origins: []string{"https://app.example"}})
	for _, s := range []struct {
		h      http.Handler
		method string
		url    string
		header []string
		status int
	}{
		{open, "GET", "/api/admin/version", []string{"X-PREFECT-API-VERSION", "0.8.4"}, 200},
		{open, "GET", "/api/admin/version", []string{"X-PREFECT-API-VERSION", "1.0.0"}, 200},
		{open, "GET", "/api/admin/version", []string{"X-PREFECT-API-VERSION", "0.7.9"}, 400},
		{open, "GET", "/api/admin/version", []string{"X-PREFECT-API-VERSION", "abc"}, 400},
		{open, "GET", "/api/admin/version", []string{"Flowlite-Run-Token", "abc"}, 400},
		{locked, "GET", "/api/admin/version", nil, 401},
		{locked, "GET", "/api/health", nil, 200},
		{locked, "GET", "/api/admin/version", []string{"Authorization", "Basic YWRtaW46c2VjcmV0"}, 200},
		{locked, "GET", "/api/admin/version", []string{"Authorization", "Bearer admin:secret"}, 200},
		{locked, "GET", "/api/admin/version", []string{"Authorization", "Bearer wrong"}, 401},
		{locked, "GET", "/api/admin/version", []string{"Authorization", "Basic ***"}, 401},
		{locked, "GET", "/api/admin/version", []string{"Upgrade", "websocket"}, 401},
		{open, "POST", "/api/flow_runs/filter", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{open, "POST", "/api/csrf-token", []string{"Origin", "http://example.com", "Sec-Fetch-Site", "same-origin"}, 405},
		{locked, "POST", "/api/flow_runs/filter", []string{"Origin", "https://x.example", "Sec-Fetch-Site", "cross-site", "Authorization", "Basic YWRtaW46c2VjcmV0"}, 403},
		{locked, "POST", "/api/flow_runs/filter", []string{"Origin", "https://x.example", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/json"}, 403},
		{locked, "OPTIONS", "/api/flows/", []string{"Origin", "https://x.example", "Access-Control-Request-Method", "POST"}, 401},
		{locked, "OPTIONS", "/api/flows/", []string{"Origin", "https://app.example", "Access-Control-Request-Method", "POST"}, 200},
		{locked, "GET", "/api/admin/version", []string{"Origin", "https://app.example", "Sec-Fetch-Site", "cross-site", "Authorization", "Basic YWRtaW46c2VjcmV0"}, 200},
		{locked, "GET", "/api/admin/version", []string{"Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"}, 401},
	} {
		if w := request(t, s.h, s.method, s.url, "", s.header...); w.Code != s.status {
			t.Errorf("%s %s %v: %d %s, want %d", s.method, s.url, s.header, w.Code, w.Body, s.status)
		}
	}
}

// FuzzDecode: whatever comes, the answer is a value or a 422, never a panic.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{``, `null`, `{}`, `[]`, `{"flow_runs":{"id":{"any_":["x"]}}}`, `{"limit":"1"}`, `{"state":{"type":1}}`, "{\"name\":\"\xff\"}", `{"tags":[1]}`} {
		f.Add(s)
	}
	types := []reflect.Type{reflect.TypeFor[entities](), reflect.TypeFor[core.FlowRunCreate](), reflect.TypeFor[core.DeploymentUpdate](), reflect.TypeFor[[]logBody](), reflect.TypeFor[[]*core.Event]()}
	f.Fuzz(func(t *testing.T, body string) {
		for i, typ := range types {
			c := &call{r: httptest.NewRequest("POST", "/", nil), op: &op{strict: i == 0, optional: i == 0}, body: []byte(body)}
			if err := decode(c, reflect.New(typ).Interface()); err != nil && core.CodeOf(err) != core.EInvalid {
				t.Fatalf("%s: %v", typ, err)
			}
		}
	})
}
