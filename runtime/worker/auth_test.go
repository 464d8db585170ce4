package worker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/build"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

const ownAuth = "run:flr_0123"

func basicOf(auth string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(auth))
}

func TestAuthOfRuns(t *testing.T) {
	withHeader := func(auth string, more map[string]string) string {
		m := map[string]string{"Authorization": basicOf(auth)}
		maps.Copy(m, more)
		b, _ := json.Marshal(m)
		return string(b)
	}
	for _, c := range []struct {
		what      string
		own       string
		set, want map[string]string
	}{
		{"the run's own", ownAuth, nil, map[string]string{flowliteAuth: ownAuth, prefectAuth: ownAuth, customHeaders: withHeader(ownAuth, nil)}},
		{"beside the user's headers", ownAuth, map[string]string{customHeaders: `{"X-Mine":"1"}`},
			map[string]string{flowliteAuth: ownAuth, prefectAuth: ownAuth, customHeaders: withHeader(ownAuth, map[string]string{"X-Mine": "1"})}},
		{"the user's header stays", ownAuth, map[string]string{customHeaders: `{"authorization":"Bearer x"}`},
			map[string]string{flowliteAuth: ownAuth, prefectAuth: ownAuth, customHeaders: `{"authorization":"Bearer x"}`}},
		{"headers that are none", ownAuth, map[string]string{customHeaders: `no JSON`}, map[string]string{flowliteAuth: ownAuth, prefectAuth: ownAuth, customHeaders: `no JSON`}},
		{"set for flowlite", ownAuth, map[string]string{flowliteAuth: "a:b"}, map[string]string{flowliteAuth: "a:b", prefectAuth: "a:b", customHeaders: withHeader("a:b", nil)}},
		{"set for Prefect", ownAuth, map[string]string{prefectAuth: "a:b"}, map[string]string{flowliteAuth: "a:b", prefectAuth: "a:b", customHeaders: withHeader("a:b", nil)}},
		{"a key for Prefect", ownAuth, map[string]string{prefectKey: "k"}, map[string]string{flowliteAuth: "k", prefectKey: "k", customHeaders: withHeader("k", nil)}},
		{"none needed", "", nil, map[string]string{}},
		{"none needed, headers set", "", map[string]string{customHeaders: `{"X":"1"}`}, map[string]string{customHeaders: `{"X":"1"}`}},
	} {
		env := map[string]string{}
		maps.Copy(env, c.set)
		authenticate(env, c.own)
		authenticatePrefect(env)
		if !maps.Equal(env, c.want) {
			t.Errorf("%s: %v, want %v", c.what, env, c.want)
		}
	}
}

func TestNoFlowGetsWhatIsWithheld(t *testing.T) {
	for _, name := range core.WithheldNames() {
		t.Setenv(name, "withheld")
	}
	w := New(Config{Orchestrator: newFake(), AuthString: "withheld", APIURL: "http://127.0.0.1:1/api"})
	r := &run{claim: core.Claim{FlowRun: &core.FlowRun{ID: core.NewID()}, Auth: ownAuth}}
	const set = "set by a job variable"
	for _, l := range []*launchable{{}, {group: true}, {python: true}} {
		for _, j := range []*job{{}, {Env: map[string]string{"FLOWLITE_DATABASE_URL": set}}} {
			env := w.environment(r, j, "", l)
			for _, kv := range env {
				if name, v, _ := strings.Cut(kv, "="); v == "withheld" || strings.Contains(v, base64.StdEncoding.EncodeToString([]byte("withheld"))) {
					t.Errorf("%+v gets %s", l, name)
				}
			}
			if got := slices.Contains(env, "FLOWLITE_DATABASE_URL="+set); got != (j.Env != nil) {
				t.Errorf("%+v gets what a job variable sets: %v", l, got)
			}
		}
	}
	refs := &references{}
	for _, name := range append(core.WithheldNames(), runOnly...) {
		if v, known, err := refs.lookup("$" + name); known || v != nil {
			t.Errorf("{{ $%s }} is %v, %v, %v", name, v, known, err)
		}
	}

	// What describes flows executes their code.
	script := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nif env | grep -q withheld; then env >&2; exit 1; fi\necho '{\"flows\":[]}'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := build.Describe(context.Background(), script, nil); err != nil {
		t.Errorf("a description of Go flows: %v", err)
	}
	if _, _, err := python.Describe(context.Background(), script, "runner", t.TempDir(), nil, nil); err != nil {
		t.Errorf("a description of Python flows: %v", err)
	}
}
