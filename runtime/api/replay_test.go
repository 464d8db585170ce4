package api

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// exchange is one line of testdata/exchanges: what a real Prefect client asked
// a real Prefect server, and what that answered. A line with ws is an event that
// the client sent down its websocket.
type exchange struct {
	N           int               `json:"n"`
	From        string            `json:"from"`
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Query       string            `json:"query"`
	Req         json.RawMessage   `json:"req"`
	ContentType *string           `json:"req_content_type"`
	Headers     map[string]string `json:"req_headers"`
	Status      int               `json:"status"`
	Res         any               `json:"res"`
	Socket      string            `json:"ws"`
	Frame       json.RawMessage   `json:"frame"`
}

func readExchanges(t *testing.T, path string) (all []exchange) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var x exchange
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, x)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReplay walks the recorded exchanges in order on an empty database and
// compares status and shape of each answer: the keys of objects and the JSON
// types of values, not ids, times and names. replay.golden lists each kind of
// difference with the reason why it stays; UPDATE_GOLDEN=1 adds new ones,
// without a reason, and such a line fails the test.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/exchanges/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges:", err)
	}
	found := map[string]string{} // difference → where it was first seen
	for _, newer := range []bool{false, true} {
		w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "flowlite.db"))
		r := &replay{fixture: w, ids: map[string]string{}}
		if newer {
			w.agent = "prefect/3.8.8 (API 0.8.4)"
		}
		// What stood on the recorded server before the first line: its built-in
		// block types, and a pool.
		w.send("POST", "/block_types/install_system_block_types", nil)
		w.send("POST", "/work_pools/", object{"name": "rec-pool6", "type": "process"})
		for _, file := range files {
			if strings.HasPrefix(filepath.Base(file), "17-") == newer {
				r.file(file, found)
			}
		}
		t.Logf("replayed %d exchanges and %d events, newer client %t", r.sent, r.events, newer)
	}
	holdDifferences(t, "testdata/replay.golden", found)
}

func holdDifferences(t *testing.T, golden string, found map[string]string) {
	t.Helper()
	reasons := map[string]string{}
	b, err := os.ReadFile(golden)
	if err != nil && os.Getenv("UPDATE_GOLDEN") == "" {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			difference, reason, _ := strings.Cut(line, "  #")
			reasons[difference] = strings.TrimSpace(reason)
		}
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		var out strings.Builder
		for _, d := range slices.Sorted(maps.Keys(found)) {
			fmt.Fprintf(&out, "%s  # %s\n", d, reasons[d])
		}
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(found)) {
		if reasons[d] == "" {
			t.Errorf("%s (%s): fix it, or give its reason in %s", d, found[d], golden)
		}
	}
	for d := range reasons {
		if found[d] == "" {
			t.Errorf("%s: this difference is gone; take it out of %s", d, golden)
		}
	}
}

// replay knows which of our ids stands for which recorded one.
type replay struct {
	*fixture
	ids    map[string]string
	shift  time.Duration
	sent   int
	events int
}

var (
	uuidText = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timeText = regexp.MustCompile(`202[67]-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?`)
	noSlash  = regexp.MustCompile(`/[0-9a-f]{8}-[0-9a-f-]{27}`)
)

func (r *replay) file(path string, found map[string]string) {
	all := readExchanges(r.TB.(*testing.T), path)
	r.shift = 0
	for _, x := range all { // what was made first was made when the recording began
		made, _ := x.Res.(object)
		created, _ := made["created"].(string)
		if x.Status == http.StatusCreated && created != "" {
			at, err := time.Parse(time.RFC3339, created)
			if err != nil {
				r.Fatal(err)
			}
			r.shift = time.Since(at)
			break
		}
	}
	asked := map[string]bool{}
	answers := map[int]any{}
	for _, x := range all {
		if strings.HasPrefix(x.Path, "/api/ui/") {
			continue // the Prefect UI's own, which flowlite does not serve
		}
		if x.Socket != "" {
			r.events++
			if status, _, body := r.ask("POST", "/api/events", "", []byte("["+r.ours(string(x.Frame))+"]"), nil, nil); status != http.StatusNoContent {
				r.Errorf("%s %d: event: %d %s", path, x.N, status, body)
			}
			continue
		}
		// A client that polls asks the same again and again; how often is its own affair.
		if key := x.From + x.Path + x.Query; x.Method == "GET" && x.From == "flow" {
			if asked[key] {
				continue
			}
			asked[key] = true
		}
		r.sent++
		want := x.Res
		if m, ok := want.(object); ok && m["__same_as_n__"] != nil {
			want = answers[int(m["__same_as_n__"].(float64))]
		}
		answers[x.N] = want
		req := x.Req
		if string(req) == "null" && x.ContentType != nil {
			req = nil
		}
		if text := ""; json.Unmarshal(req, &text) == nil && text != "" {
			req = json.RawMessage(text) // a body that was not JSON was recorded as text
		}
		status, _, body := r.ask(x.Method, r.ours(x.Path), r.ours(x.Query), []byte(r.ours(string(req))), x.ContentType, x.Headers)
		var got any
		if err := json.Unmarshal(body, &got); err != nil {
			got = string(body)
		}
		where := fmt.Sprintf("%s line %d", filepath.Base(path), x.N)
		for _, d := range r.compare(x, want, status, got) {
			if _, known := found[d]; !known {
				found[d] = where
			}
		}
		r.learn(want, got)
	}
}

func (r *replay) ask(method, path, query string, body []byte, contentType *string, headers map[string]string) (int, http.Header, []byte) {
	r.Helper()
	url := r.srv.URL + path
	if query != "" {
		url += "?" + query
	}
	var in io.Reader
	if len(body) > 0 && string(body) != "null" {
		in = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(r.Context(), method, url, in)
	if err != nil {
		r.Fatal(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if contentType != nil {
		req.Header.Set("Content-Type", *contentType)
	}
	req.Header.Set("User-Agent", cmp.Or(r.agent, "curl/8")) // a Go client may send more than Prefect takes
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	return res.StatusCode, res.Header, b
}

// ours puts our ids and the present into what was recorded.
func (r *replay) ours(s string) string {
	s = uuidText.ReplaceAllStringFunc(s, func(id string) string {
		if mine, ok := r.ids[id]; ok {
			return mine
		}
		return id
	})
	if r.shift == 0 {
		return s
	}
	return timeText.ReplaceAllStringFunc(s, func(at string) string {
		layout := "2006-01-02T15:04:05"
		if at[10] == ' ' {
			layout = "2006-01-02 15:04:05"
		}
		v, err := time.Parse(layout, at)
		if err != nil {
			return at
		}
		return v.Add(r.shift).Format(layout + ".000000")
	})
}

// learn walks both answers at once and maps the ids that differ.
func (r *replay) learn(want, got any) {
	switch w := want.(type) {
	case object:
		if g, ok := got.(object); ok {
			for _, k := range slices.Sorted(maps.Keys(w)) {
				r.learn(w[k], g[k])
			}
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i, v := range w {
				r.learn(v, g[i])
			}
		}
	case string:
		g, ok := got.(string)
		if ok && w != g && len(w) == 36 && len(g) == 36 && uuidText.MatchString(w) && uuidText.MatchString(g) {
			if _, known := r.ids[w]; !known {
				r.ids[w] = g
			}
		}
	}
}

// compare names the differences of one answer, without ids and places in lists,
// so that the same difference has the same name everywhere.
func (r *replay) compare(x exchange, want any, status int, got any) (all []string) {
	o := x.Method + " " + pathOf(x.Path)
	if status != x.Status {
		return []string{fmt.Sprintf("%s: status %d%s, here %d", o, x.Status, complaint(want), status)}
	}
	seen := map[string]bool{}
	differ("", want, got, func(d string) {
		if d = o + ": " + d; !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	})
	return all
}

// complaint is the first thing that a 422 named.
func complaint(body any) string {
	m, _ := body.(object)
	list, _ := m["exception_detail"].([]any)
	if len(list) == 0 {
		return ""
	}
	first, _ := list[0].(object)
	var field string
	loc, _ := first["loc"].([]any)
	for _, l := range loc[min(1, len(loc)):] {
		if name, ok := l.(string); ok {
			field += "." + name
		}
	}
	return fmt.Sprintf(" (%v %s)", first["type"], strings.TrimPrefix(field, "."))
}

// pathOf is a path without what is particular: ids and names.
func pathOf(path string) string {
	path = strings.TrimPrefix(noSlash.ReplaceAllString(path, "/{}"), "/api")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if i > 1 && !words[p] && p != "" && p != "{}" {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// words are the parts of paths that are no names.
var words = func() map[string]bool {
	all := map[string]bool{}
	b, _ := os.ReadFile("testdata/peer_operations.txt")
	for f := range strings.FieldsSeq(string(b)) {
		for part := range strings.SplitSeq(f, "/") {
			all[part] = true
		}
	}
	for _, w := range []string{"increment-with-lease", "decrement-with-lease", "leases", "renew", "storage"} {
		all[w] = true
	}
	return all
}()

// differ compares keys of objects and types of values. Lists are compared by
// their first elements, since background services make their lengths; a null
// beside a value is the state of the data and not of the shape.
func differ(at string, want, got any, tell func(string)) {
	if want == nil || got == nil {
		return
	}
	if w, g := kind(want), kind(got); w != g {
		tell(fmt.Sprintf("%s is %s, here %s", place(at), w, g))
		return
	}
	switch w := want.(type) {
	case object:
		g := got.(object)
		if free[last(at)] {
			return
		}
		_, cut := w["__truncated__"]
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if _, ok := g[k]; !ok && k != "__truncated__" {
				tell(place(at+"."+k) + " is missing here")
				continue
			}
			differ(at+"."+k, w[k], g[k], tell)
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[k]; !ok && !cut {
				tell(place(at+"."+k) + " is only here")
			}
		}
	case []any:
		g := got.([]any)
		if len(w) > 0 && len(g) > 0 {
			differ(at+"[]", w[0], g[0], tell)
		}
	}
}

// free are objects whose keys are the users' or the request's own.
var free = map[string]bool{
	"parameters": true, "labels": true, "job_variables": true, "variables": true, "payload": true, "resource": true, "data": true, "request_body": true, "input": true,
	"ctx": true, "context": true, "task_inputs": true, "base_job_template": true, "parameter_openapi_schema": true, "fields": true, "run_input_keyset": true, "related[]": true,
	"properties": true, "definitions": true, "block_document_references": true, "run_input": true, "metadata_": true, "exception_detail[]": true,
}

func last(at string) string { return at[strings.LastIndex(at, ".")+1:] }

func place(at string) string {
	if at == "" {
		return "the answer"
	}
	return strings.TrimPrefix(at, ".")
}

func kind(v any) string {
	switch v.(type) {
	case object:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a string"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	}
	return "null"
}
