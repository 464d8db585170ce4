package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// wireRow is a value, and what the pydantic of Prefect 3.4.9 makes of it.
type wireRow struct {
	Name   string
	Wire   *wire
	Input  json.RawMessage
	Result json.RawMessage
	Faults []struct {
		Type string
		Loc  []any
	}
}

func wireRows(t testing.TB) (rows []wireRow) {
	t.Helper()
	f, err := os.Open("testdata/wire_values.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		var row wireRow
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		row.Wire = plans().link(row.Wire)
		rows = append(rows, row)
	}
	return rows
}

// told is the faults in a form that does not depend on the order of their finding.
func told(faults []core.FieldError) []string {
	out := []string{}
	for _, f := range faults {
		out = append(out, fmt.Sprint(f.Type, " ", f.Loc))
	}
	slices.Sort(out)
	return out
}

// TestWireValues: every kind of value is read as pydantic reads it.
func TestWireValues(t *testing.T) {
	for _, row := range wireRows(t) {
		want := []core.FieldError{}
		for _, f := range row.Faults {
			want = append(want, core.FieldError{Type: f.Type, Loc: f.Loc})
		}
		var r reader
		got := r.read(row.Wire, row.Input, nil)
		if w, g := told(want), told(r.found); !slices.Equal(w, g) {
			t.Errorf("%s %s: %v, want %v", row.Name, row.Input, g, w)
			continue
		}
		if len(want) > 0 || row.Result == nil || string(row.Result) == "null" {
			continue
		}
		if g, w := wireValue(t, row.Wire, got), wireValue(t, &wire{Type: "any"}, row.Result); !reflect.DeepEqual(g, w) {
			t.Errorf("%s %s: %v, want %v", row.Name, row.Input, g, w)
		}
	}
}

func wireValue(t *testing.T, w *wire, j []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(j, &v); err != nil {
		t.Fatalf("%s: %v", j, err)
	}
	if w.Type == "datetime" || w.Type == "instant" {
		at, err := time.Parse(time.RFC3339Nano, v.(string))
		if err != nil {
			t.Fatal(err)
		}
		return float64(at.UnixMicro())
	}
	return v
}

// TestScanAgrees: what the scan is sure of, the reader neither refuses nor changes.
func TestScanAgrees(t *testing.T) {
	sure := 0
	for _, row := range wireRows(t) {
		scanAgrees(t, row.Wire, row.Input)
		if row.Wire.sure(row.Input) {
			sure++
		}
	}
	if sure < 40 {
		t.Errorf("the scan is sure of %d values", sure)
	}
}

func scanAgrees(t *testing.T, w *wire, j []byte) {
	t.Helper()
	if !json.Valid(j) || core.CheckJSON(j) != nil || !w.sure(j) {
		return
	}
	var r reader
	out := r.read(w, j, nil)
	if len(r.found) > 0 {
		t.Errorf("%s %s: the scan is sure, the reader says %v", w.Type, j, r.found)
		return
	}
	if !core.SameJSON(core.JSON(`{"v":`+string(out)+`}`), core.JSON(`{"v":`+string(j)+`}`)) {
		t.Errorf("%s %s: the reader makes %s", w.Type, j, out)
	}
}

func FuzzWire(f *testing.F) {
	ops := []string{"POST /flow_runs/filter", "POST /flow_runs/", "POST /deployments/", "POST /flow_runs/{id}/set_state", "POST /events/filter", "POST /automations/", "POST /task_runs/"}
	for _, s := range []string{
		`{"name":"x","flow_id":"00000000-0000-0000-0000-000000000001","state":{"type":"PENDING"}}`, `{"limit":3,"flow_runs":{"id":{"any_":[]},"tags":{"all_":["a"]}}}`,
		`{"filter":{"occurred":{"since":"2026-01-02T03:04:05Z"}}}`, `{"task_key":"k","dynamic_key":"d","empirical_policy":{"retry_delay":[1,2.5]}}`,
		`{"name":"x","schedules":[{"schedule":{"interval":3600,"anchor_date":"2026-01-02T03:04:05.5+05:30"}}]}`, `{"limit":null,"sort":null}`, `[{}]`, `{"a":[}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range ops {
			scanAgrees(t, plans().Operations[shapeOf(op)].body, []byte(body))
		}
	})
}

// TestPlansMeetOperations: every operation of ours that Prefect has and that reads a
// body, reads it by Prefect's plan.
func TestPlansMeetOperations(t *testing.T) {
	served := map[string]bool{}
	for _, o := range bare(Config{}).Operations() {
		served[shapeOf(o.Method+" "+strings.TrimPrefix(o.Path, "/api"))] = true
	}
	for op := range plans().Operations {
		if !served[op] && !strings.HasPrefix(op, "GET /ui") && !strings.HasPrefix(op, "POST /ui") {
			t.Errorf("no operation reads by the plan of %s", op)
		}
	}
}

// TestUnknownKeys: they are refused as Prefect does, but not from newer clients,
// nor from flowlite's, which may be of a later version.
func TestUnknownKeys(t *testing.T) {
	o := &op{plan: planFor("POST", "/flows/", reflect.TypeFor[core.FlowCreate]())}
	for agent, refused := range map[string]bool{
		"prefect/3.4.9 (API 0.8.4)": true, "curl/8": true, "prefect/3.8.8 (API 0.8.4)": false, "flowlite": false, "Go-http-client/1.1": false,
	} {
		if err := strictlyAs(o, agent, `{"name":"x","from the future":1}`); (err != nil) != refused {
			t.Errorf("%s: %v", agent, err)
		}
	}
}

func strictlyAs(o *op, agent, body string) error {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("User-Agent", agent)
	_, err := o.plan.body.strictly(&call{r: r, op: o}, []byte(body))
	return err
}

// TestNullsOfGo: Go encodes a nil slice or map as null, and flowlite's own workers
// did up to the first release. Others are refused as Prefect does, and so is null
// for what must be there or is no list or object.
func TestNullsOfGo(t *testing.T) {
	o := &op{plan: planFor("POST", "/events", reflect.TypeFor[[]*core.Event]())}
	const event = `[{"id":"0197d9f5-6d6b-7d77-9d55-a0fd5f5d0a2a","occurred":"2026-01-01T00:00:00Z","event":"e",` +
		`"resource":{"prefect.resource.id":"r"},"related":null,"payload":null}]`
	for agent, refused := range map[string]bool{"Go-http-client/1.1": false, "Go-http-client/2.0": false, "flowlite": true, "curl/8": true} {
		if err := strictlyAs(o, agent, event); (err != nil) != refused {
			t.Errorf("%s: %v", agent, err)
		}
	}
	for _, key := range []string{`"event":"e"`, `"resource":{"prefect.resource.id":"r"}`} {
		name, _, _ := strings.Cut(key, ":")
		if strictlyAs(o, "Go-http-client/1.1", strings.Replace(event, key, name+":null", 1)) == nil {
			t.Errorf("null for %s is taken", name)
		}
	}
}

// TestFractionOfADelay: a Python flow may wait for part of a second before its retry.
func TestFractionOfADelay(t *testing.T) {
	o := &op{plan: planFor("PATCH", "/flow_runs/{id:uuid}", reflect.TypeFor[core.FlowRunUpdate]())}
	if err := strictlyAs(o, "prefect/3.4.9 (API 0.8.4)", `{"empirical_policy":{"retries":1,"retry_delay":0.1}}`); err != nil {
		t.Error(err)
	}
}
