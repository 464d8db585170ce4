package flowlite_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
	"github.com/flowlite/flowlite/runtime/worker"
)

const ownersAuth = "admin:a-long-secret"

// TestProcessHasOnlyTheRunsCredentials runs a flow that uses what the SDK offers,
// by a worker on another machine, with nothing but the credentials of its run.
func TestProcessHasOnlyTheRunsCredentials(t *testing.T) {
	bin := flowBinary(t)
	for _, name := range core.WithheldNames() {
		t.Setenv(name, "withheld-"+name)
	}
	srv, err := server.New(server.Config{Port: -1, NoUI: true, AuthString: ownersAuth, Home: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	o := client.New(client.Config{URL: srv.APIURL(), AuthString: ownersAuth})
	w := worker.New(worker.Config{Orchestrator: o, APIURL: srv.APIURL(), AuthString: ownersAuth, WorkDir: t.TempDir(), CacheDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(context.Background()) })

	ctx, svc := t.Context(), srv.Service()
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = svc.CreateSecret(ctx, "word", core.JSON(`"hidden-from-all"`))
	fail(err)
	_, err = svc.CreateVariable(ctx, core.VariableCreate{Name: "v", Value: core.Some(core.JSON("1"))})
	fail(err)
	for _, l := range []core.GlobalConcurrencyLimitCreate{{Name: "slots", Limit: 1}, {Name: "rates", Limit: 10, SlotDecayPerSecond: 10}} {
		_, err = svc.CreateGlobalLimit(ctx, l)
		fail(err)
	}
	var d *core.Deployment
	for _, flow := range []string{"inner", "everything"} {
		f, err := svc.CreateFlow(ctx, core.FlowCreate{Name: flow})
		fail(err)
		d, err = svc.CreateDeployment(ctx, core.DeploymentCreate{Name: "local", FlowID: f.ID, WorkPoolName: core.Some("default"), EnforceParameterSchema: core.Some(false), Entrypoint: core.Some(bin + ":" + flow)})
		fail(err)
	}
	run, err := svc.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{})
	fail(err)
	until := func(ok func(*core.FlowRun) bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		for !ok(run) {
			next, err := svc.WaitFlowRun(ctx, run.ID, run.StateID, 30)
			if err != nil {
				logs, _ := srv.Store().Logs(t.Context(), &core.LogFilter{}, core.Page{Limit: core.MaxLimit})
				for _, l := range logs {
					t.Log(l.Message)
				}
				t.Fatalf("%s is %s: %v", run.Name, run.StateName, err)
			}
			if run = next; run.StateType.Final() && !ok(run) {
				t.Fatalf("%s is %s: %s", run.Name, run.StateName, core.Deref(run.State.Message))
			}
		}
	}
	until(func(r *core.FlowRun) bool { return r.StateType == core.Paused })
	_, err = svc.ResumeFlowRun(ctx, run.ID, core.JSON(`{}`))
	fail(err)
	until(func(r *core.FlowRun) bool { return r.StateType == core.Completed })

	var texts, begun []string
	logs, err := srv.Store().Logs(ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}}}, core.Page{Limit: core.MaxLimit})
	fail(err)
	for _, l := range logs {
		texts = append(texts, l.Message)
	}
	states, err := srv.Store().FlowRunStates(ctx, run.ID)
	fail(err)
	for _, st := range states {
		texts = append(texts, core.Deref(st.Message))
	}
	for _, text := range texts {
		for _, secret := range []string{"a-long-secret", base64.StdEncoding.EncodeToString([]byte(ownersAuth)), "flr_", "withheld", "hidden-from-all"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is shown: %s", secret, text)
			}
		}
		if strings.Contains(text, "FLOWLITE_AUTH_STRING=") {
			how, _, _ := strings.Cut(text, " ")
			begun = append(begun, how)
		}
	}
	for _, how := range []string{"printed", "logged", "by", "the"} {
		if !slices.Contains(begun, how) {
			t.Errorf("no text that begins with %q holds the environment: %q", how, texts)
		}
	}
}
