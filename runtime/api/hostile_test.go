package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
)

var (
	hostileMany = flag.Int("hostile", 2, "TestHostileValues: how many changes of each body are sent; 0 sends every value in every field")
	hostileSeed = flag.Uint64("hostile-seed", 0, "TestHostileValues: seed of the sample; 0 takes a new one")
)

// TestHostileValues sends hostile values through every route that takes a body
// on SQLite and on PostgreSQL. The bodies are recorded ones with one field
// changed. Both engines must give the same status, the same error, and the same
// record when it is read back, and no answer may be a fault of the server.
func TestHostileValues(t *testing.T) {
	h := &hostile{T: t, seen: map[string]int{}, told: map[string]bool{}, got: map[int]int{}}
	for _, e := range dbtest.Engines(t) {
		w := newWorld(t, e.URL(t))
		w.send("POST", "/block_types/install_system_block_types", nil)
		w.send("POST", "/work_pools/", object{"name": "rec-pool6", "type": "process"})
		h.fixtures = append(h.fixtures, &replay{fixture: w, ids: map[string]string{}})
	}
	for _, o := range bare(Config{}).ops {
		h.routes = append(h.routes, hostileRoute{o.Method, o.Path, regexp.MustCompile("^" + param.ReplaceAllString(o.Path, "[^/]+") + "/?$")})
	}
	seed := *hostileSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -hostile-seed=%d", seed)
	h.rand = rand.New(rand.NewPCG(seed, 1))
	h.values = hostileValues(h.rand)
	files, err := filepath.Glob("testdata/exchanges/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges:", err)
	}
	for _, file := range files {
		if !strings.HasPrefix(filepath.Base(file), "17-") {
			h.file(file)
		}
	}
	h.own()
	h.paths()
	h.compareLists()
	for _, r := range h.routes {
		if key := r.method + " " + r.path; r.method != "GET" && r.method != "DELETE" && h.seen[key] == 0 && !notHostile[key] {
			t.Errorf("%s: no body to change; add one to testdata/hostile_bodies.txt", key)
		}
	}
	t.Logf("%d requests to each engine, answers %v", h.sent, h.got)
}

// notHostile are routes that take no body, or empty the database.
var notHostile = map[string]bool{
	"POST /api/admin/database/clear": true, "POST /api/admin/database/create": true, "POST /api/admin/database/drop": true,
	"POST /api/block_types/install_system_block_types": true, "POST /api/deployments/{id}/pause_deployment": true,
	"POST /api/deployments/{id}/resume_deployment": true, "PUT /api/admin/storage": true, "PUT /api/results/{key...}": true,
}

type hostileRoute struct {
	method, path string
	match        *regexp.Regexp
}

type hostile struct {
	*testing.T
	fixtures []*replay // of each engine
	routes   []hostileRoute
	values   []string
	rand     *rand.Rand
	seen     map[string]int  // recorded bodies of a route that were changed
	told     map[string]bool // faults, each once
	sent     int
	got      map[int]int // statuses
}

func (h *hostile) route(method, path string) string {
	for _, r := range h.routes {
		if r.method == method && r.match.MatchString(path) {
			return r.path
		}
	}
	return ""
}

// file replays exchanges on both engines, and before a request some changed ones.
func (h *hostile) file(path string) {
	for _, x := range readExchanges(h.T, path) {
		if x.Socket != "" || strings.HasPrefix(x.Path, "/api/ui/") || x.From == "flow" && x.Method == "GET" {
			continue
		}
		route := h.route(x.Method, x.Path)
		key := x.Method + " " + route
		if route != "" && x.Status < 300 && x.Method != "GET" && x.Method != "DELETE" && !notHostile[key] && h.seen[key] < 2 {
			h.seen[key]++
			h.change(x.Method, x.Path, x.Req)
		}
		if strings.Contains(x.Path, "/admin/database/") {
			continue
		}
		for _, r := range h.fixtures {
			req := x.Req
			if string(req) == "null" && x.ContentType != nil {
				req = nil
			}
			_, _, body := r.ask(x.Method, r.ours(x.Path), r.ours(x.Query), []byte(r.ours(string(req))), x.ContentType, nil)
			var got any
			_ = json.Unmarshal(body, &got)
			r.learn(x.Res, got)
		}
	}
}

// own changes the bodies of routes that no recorded client asks, or with
// fields that none gives.
func (h *hostile) own() {
	fill := make([]*strings.Replacer, len(h.fixtures))
	for i, r := range h.fixtures {
		flow := r.flow("hostile")
		run := r.run(flow, nil)["id"].(string)
		r.send("POST", "/work_pools/", object{"name": "hostile", "type": "process"})
		r.send("POST", "/work_pools/hostile/queues", object{"name": "q"})
		r.send("POST", "/variables/", object{"name": "hostile", "value": 1})
		variable := r.post(201, "/variables/", object{"name": "hostile2", "value": 1})["id"].(string)
		block := r.post(201, "/block_types/", object{"name": "Hostile", "slug": "hostile"})["id"].(string)
		r.post(201, "/v2/concurrency_limits/", object{"name": "hostile", "limit": 5})
		lease := r.post(200, "/v2/concurrency_limits/increment-with-lease", object{"names": []string{"hostile"}, "slots": 1, "lease_duration": 300})["lease_id"].(string)
		fill[i] = strings.NewReplacer("FLOW", flow, "RUN", run, "VARIABLE", variable, "BLOCKTYPE", block, "LEASE", lease)
	}
	// Ids of the first fixture stand for those of the others.
	for i, r := range h.fixtures {
		for _, name := range []string{"FLOW", "RUN", "VARIABLE", "BLOCKTYPE", "LEASE"} {
			r.ids[fill[0].Replace(name)] = fill[i].Replace(name)
		}
	}
	bodies, err := os.ReadFile("testdata/hostile_bodies.txt")
	if err != nil {
		h.Fatal(err)
	}
	for line := range strings.Lines(fill[0].Replace(string(bodies))) {
		method, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		path, body, _ := strings.Cut(rest, " ")
		h.seen[method+" "+h.route(method, path)]++
		h.change(method, path, json.RawMessage(body))
	}
}

// paths sends hostile names and ids in paths and queries.
func (h *hostile) paths() {
	values := []string{"%00", "a%00b", "%FF", "%ED%A0%80", "a%5Cb", "%22", "%27", "%25", "_", "..%2F..", "%F0%9F%92%A9", "%0A", "%20", "-1", "1e400", "NaN", "01a20763-4bfb-7f42-8bfa-a466036f7683",
		"00000000-0000-0000-0000-000000000000", strings.Repeat("x", 5000)}
	for _, r := range h.routes {
		if r.method != "GET" && r.method != "DELETE" || strings.HasSuffix(r.path, "/in") || strings.HasSuffix(r.path, "/out") || strings.HasSuffix(r.path, "/connect") ||
			strings.HasSuffix(r.path, "/subscriptions/scheduled") || strings.HasSuffix(r.path, "/stream") || strings.HasSuffix(r.path, "/storage") || strings.HasSuffix(r.path, "/admin/settings") {
			continue
		}
		for _, v := range values {
			if strings.Contains(r.path, "{") {
				h.send(r.method, param.ReplaceAllString(r.path, v), "", []any{"path"}, v)
			}
			if r.method == "GET" {
				path := param.ReplaceAllString(r.path, "01a20763-4bfb-7f42-8bfa-a466036f7683")
				queries := []string{"key", "page-token", "flow_run_id", "task_run_id", "since", "limit", "timeout"}
				if *hostileMany != 0 {
					queries = []string{queries[h.rand.IntN(len(queries))]}
				}
				for _, q := range queries {
					h.send(r.method, path+"?"+q+"="+v, "", []any{"query", q}, v)
				}
			}
		}
	}
}

// change sends body with one value changed at a time.
func (h *hostile) change(method, path string, body json.RawMessage) {
	var tree any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&tree) != nil {
		return
	}
	places := hostilePlaces(tree, nil)
	type pair struct {
		at    []any
		value string
	}
	var pairs []pair
	if *hostileMany == 0 {
		for _, at := range places {
			for _, v := range h.values {
				pairs = append(pairs, pair{at, v})
			}
		}
	} else {
		for range *hostileMany {
			pairs = append(pairs, pair{places[h.rand.IntN(len(places))], h.values[h.rand.IntN(len(h.values))]})
		}
	}
	for _, p := range pairs {
		h.send(method, path, hostileJSON(tree, p.at, p.value), p.at, p.value)
	}
}

// hostilePlaces are the ways to the values of a body; "+" adds a key.
func hostilePlaces(v any, at []any) (all [][]any) {
	all = append(all, slices.Clone(at))
	if len(at) > 6 {
		return all
	}
	switch v := v.(type) {
	case object:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = append(all, hostilePlaces(v[k], append(slices.Clip(at), k))...)
		}
		all = append(all, append(slices.Clip(at), "+"))
	case []any:
		if len(v) > 0 {
			all = append(all, hostilePlaces(v[0], append(slices.Clip(at), 0))...)
		}
	}
	return all
}

// hostileJSON writes v with raw text in one place.
func hostileJSON(v any, at []any, raw string) string {
	if len(at) == 0 {
		return raw
	}
	var b strings.Builder
	switch v := v.(type) {
	case object:
		b.WriteString("{")
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(",")
			}
			name, _ := json.Marshal(k)
			b.Write(name)
			b.WriteString(":")
			if k == at[0] {
				b.WriteString(hostileJSON(v[k], at[1:], raw))
			} else {
				text, _ := json.Marshal(v[k])
				b.Write(text)
			}
		}
		if at[0] == "+" {
			if len(v) > 0 {
				b.WriteString(",")
			}
			key := raw
			if !strings.HasPrefix(raw, `"`) {
				key = `"more"`
			}
			b.WriteString(key + ":" + raw)
		}
		b.WriteString("}")
	case []any:
		b.WriteString("[")
		for i, e := range v {
			if i > 0 {
				b.WriteString(",")
			}
			if i == at[0] {
				b.WriteString(hostileJSON(e, at[1:], raw))
			} else {
				text, _ := json.Marshal(e)
				b.Write(text)
			}
		}
		b.WriteString("]")
	}
	return b.String()
}

// send makes one request of every engine, and reads back what it wrote.
func (h *hostile) send(method, path, body string, at []any, value string) {
	h.sent++
	bare, _, _ := strings.Cut(path, "?")
	route := h.route(method, bare)
	// What differs is told once for a route, a field and a kind of value.
	what := fmt.Sprintf("%s %s %s = %s", method, route, hostileField(at), short(value))
	var first, firstBack string
	var status int
	for i, r := range h.fixtures {
		w := ask(r.srv.Config.Handler, method, r.ours(path), []byte(r.ours(body)))
		if i == 0 {
			h.got[w.Code]++
		}
		got := h.normal(w.Body.Bytes())
		if route == "/api/flow_runs/lateness" && w.Code == http.StatusOK {
			got = "" // grows with the time
		}
		if w.Code >= 500 {
			h.fault(what, "%d %s", w.Code, short(got))
			return
		}
		back := ""
		if w.Code < 300 {
			back = h.readBack(r, what, route, method, path, w.Body.Bytes())
		}
		if i == 0 {
			first, firstBack, status = got, back, w.Code
			continue
		}
		switch {
		case w.Code != status:
			h.fault(what, "%d %s, and on %s %d %s", status, short(first), r.store.Engine(), w.Code, short(got))
		case got != first:
			h.fault(what, "%s", apart(first, got))
		case back != firstBack:
			h.fault(what, "read back: %s", apart(firstBack, back))
		}
	}
}

func hostileField(at []any) string {
	var b strings.Builder
	for _, p := range at {
		fmt.Fprintf(&b, ".%v", p)
	}
	if b.Len() == 0 {
		return "the body"
	}
	return b.String()[1:]
}

func (h *hostile) fault(what, format string, args ...any) {
	if h.told[what] {
		return
	}
	h.told[what] = true
	h.Errorf("%s: %s", what, fmt.Sprintf(format, args...))
}

// readBack is the record that a request wrote, as the API and its list show it.
func (h *hostile) readBack(r *replay, what, route, method, path string, answer []byte) string {
	var made struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(answer, &made)
	at := ""
	switch {
	case method == "POST" && made.ID != "" && strings.HasSuffix(route, "/"):
		at = strings.TrimSuffix(path, "/") + "/" + made.ID
	case method != "POST" || strings.HasSuffix(route, "/set_state"):
		at = strings.TrimSuffix(r.ours(path), "/set_state")
		at = strings.TrimSuffix(at, "/labels")
	}
	if at == "" || method == "GET" || h.route("GET", at) == "" {
		return ""
	}
	w := ask(r.srv.Config.Handler, "GET", at, nil)
	if w.Code >= 500 {
		h.fault(what, "GET %s: %d %s", at, w.Code, w.Body)
	}
	got := h.normal(w.Body.Bytes())
	if made.ID != "" && method == "POST" && w.Code == http.StatusOK {
		h.asAnswered(what, answer, w.Body.Bytes())
	}
	return strconv.Itoa(w.Code) + " " + got
}

// asAnswered: what a request answered is what is read afterwards.
func (h *hostile) asAnswered(what string, answer, back []byte) {
	var a, b object
	if json.Unmarshal([]byte(h.normal(answer)), &a) != nil || json.Unmarshal([]byte(h.normal(back)), &b) != nil {
		return
	}
	for k, v := range a {
		if got, has := b[k]; has && fmt.Sprint(got) != fmt.Sprint(v) && !hostileChanges[k] {
			h.fault(what, "answered %s %s, read back %s", k, short(fmt.Sprint(v)), short(fmt.Sprint(got)))
		}
	}
}

var hostileChanges = map[string]bool{"updated": true, "created": true, "state": true, "status": true, "schedules": true, "last_polled": true}

// compareLists: every list of both engines can be read, and holds the same.
func (h *hostile) compareLists() {
	for _, r := range h.routes {
		if r.method != "POST" || !strings.HasSuffix(r.path, "/filter") || strings.Contains(r.path, "{") {
			continue
		}
		var first []string
		for i, w := range h.fixtures {
			var all []string
			for offset := 0; ; offset += 50 {
				body := fmt.Sprintf(`{"limit":50,"offset":%d}`, offset)
				if r.path == "/api/events/filter" {
					body = `{"limit":50}`
				}
				got := ask(w.srv.Config.Handler, "POST", r.path, []byte(body))
				if got.Code != http.StatusOK {
					h.fault("POST "+r.path, "%s: %d %s", w.store.Engine(), got.Code, short(got.Body.String()))
					break
				}
				var page []any
				if json.Unmarshal([]byte(h.normal(got.Body.Bytes())), &page) != nil {
					break // events, in pages of their own
				}
				for _, row := range page {
					b, _ := json.Marshal(row)
					all = append(all, string(b))
				}
				if len(page) < 50 {
					break
				}
			}
			slices.Sort(all)
			if i == 0 {
				first = all
				continue
			}
			if len(all) != len(first) {
				h.fault("POST "+r.path, "%d rows, and on %s %d", len(first), w.store.Engine(), len(all))
			}
			for _, row := range first {
				if !slices.Contains(all, row) {
					near := slices.MaxFunc(append(all, ""), func(a, b string) int { return common(a, row) - common(b, row) })
					h.fault("POST "+r.path, "not on %s: %s, but %s", w.store.Engine(), short(row), apart(row, near))
					break
				}
			}
		}
	}
}

var (
	madeName = regexp.MustCompile(`^[a-z]+-[a-z]+$`)
	anyTime  = regexp.MustCompile(`202[5-9]-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}`)
)

// normal is JSON without what each server makes of its own: ids, times, names.
func (h *hostile) normal(body []byte) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return string(body)
	}
	b, _ := json.Marshal(normalValue(v))
	return string(b)
}

func normalValue(v any) any {
	switch v := v.(type) {
	case object:
		for k, c := range v {
			switch {
			case strings.HasPrefix(k, "estimated_"), strings.HasPrefix(k, "sum_estimated_"), k == "total_run_time", k == "checksum", k == "page_token", k == "next_page":
				delete(v, k)
			case (k == "name" || strings.HasSuffix(k, ".name")) && madeName.MatchString(fmt.Sprint(c)):
				v[k] = "NAME"
			default:
				delete(v, k)
				v[uuidText.ReplaceAllString(k, "ID")] = normalValue(c)
			}
		}
		return v
	case []any:
		sorted := make([]string, len(v))
		for i, e := range v {
			b, _ := json.Marshal(normalValue(e))
			sorted[i] = string(b)
		}
		slices.Sort(sorted)
		out := make([]any, len(v))
		for i, s := range sorted {
			out[i] = json.RawMessage(s)
		}
		return out
	case string:
		v = uuidText.ReplaceAllString(v, "ID")
		return anyTime.ReplaceAllString(v, "TIME")
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		if errors.Is(err, strconv.ErrRange) {
			return "HUGE"
		}
		return strconv.FormatFloat(f+0, 'g', -1, 64) // PostgreSQL knows no -0
	}
	return v
}

func short(s string) string {
	if len(s) > 160 {
		f := fnv.New32()
		_, _ = f.Write([]byte(s))
		return fmt.Sprintf("%.120s… (%d bytes, %x)", s, len(s), f.Sum32())
	}
	return s
}

// common is how many bytes two texts begin with alike.
func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// apart shows two texts around where they differ.
func apart(a, b string) string {
	i := common(a, b)
	cut := func(s string) string { return s[max(0, min(i-60, len(s))):min(len(s), i+100)] }
	return fmt.Sprintf("…%s… and …%s…", cut(a), cut(b))
}
