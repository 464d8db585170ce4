package orchestrate_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

// TestNoTemplateIsRenderedInATransaction reads the code: no function that is
// given a transaction renders.
func TestNoTemplateIsRenderedInATransaction(t *testing.T) {
	var files []string
	for _, room := range []string{".", "../block", "../automation", "../limit", "../data"} {
		found, err := filepath.Glob(room + "/*.go")
		if err != nil || len(found) == 0 {
			t.Fatal(room, err)
		}
		files = append(files, found...)
	}
	fset, renders, given := token.NewFileSet(), 0, 0
	isRender := func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return false
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			return f.Name == "Hydrate"
		case *ast.SelectorExpr:
			from, _ := f.X.(*ast.Ident)
			return from != nil && (from.Name == "template" && f.Sel.Name == "Render" || from.Name == "block" && f.Sel.Name == "Hydrate") || f.Sel.Name == "renderParameters"
		}
		return false
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if isRender(n) {
				renders++
			}
			var signature *ast.FuncType
			var body *ast.BlockStmt
			switch f := n.(type) {
			case *ast.FuncDecl:
				signature, body = f.Type, f.Body
			case *ast.FuncLit:
				signature, body = f.Type, f.Body
			}
			if signature == nil || !takesTx(signature) {
				return true
			}
			given++
			ast.Inspect(body, func(n ast.Node) bool {
				if isRender(n) {
					t.Errorf("%s: a template is rendered in a transaction", fset.Position(n.Pos()))
				}
				return true
			})
			return true
		})
	}
	if renders < 3 || given < 100 {
		t.Errorf("%d renderings and %d transactions found: the test looks at the wrong things", renders, given)
	}
}

func takesTx(f *ast.FuncType) bool {
	for _, p := range f.Params.List {
		switch t := p.Type.(type) {
		case *ast.SelectorExpr:
			if strings.HasSuffix(t.Sel.Name, "Tx") {
				return true
			}
		case *ast.Ident: // the port of a package
			if t.Name == "Tx" {
				return true
			}
		}
	}
	return false
}

// watchedStore tells whether a variable, which a template asks for, is read
// within a transaction, and may change the world in between.
type watchedStore struct {
	core.Store
	inTx    atomic.Bool
	reads   atomic.Int64
	within  atomic.Int64
	between func()
}

type watchedTx struct {
	core.Tx
	store *watchedStore
}

func (t watchedTx) VariableByName(ctx context.Context, name string) (*core.Variable, error) {
	t.store.within.Add(1)
	return t.Tx.VariableByName(ctx, name)
}

func (s *watchedStore) VariableByName(ctx context.Context, name string) (*core.Variable, error) {
	s.reads.Add(1)
	if s.inTx.Load() {
		s.within.Add(1)
	}
	if between := s.between; between != nil {
		s.between = nil
		between()
	}
	return s.Store.VariableByName(ctx, name)
}

func (s *watchedStore) Write(ctx context.Context, fn func(core.Tx) error) error {
	return s.Store.Write(ctx, func(tx core.Tx) error {
		s.inTx.Store(true)
		defer s.inTx.Store(false)
		return fn(watchedTx{tx, s})
	})
}

// Parameters are rendered before the transaction that creates the run, and
// again if the deployment has other ones by then.
func TestParametersAreRenderedOutsideOfTransactions(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		text := func(tail string) core.JSON {
			return core.JSON(`{"text":{"__prefect_kind":"jinja","template":"{{ 1 + 1 }}` + tail + `"},"v":{"__prefect_kind":"workspace_variable","variable_name":"v"}}`)
		}
		localtest.Must(h.CreateVariable(h.Ctx, core.VariableCreate{Name: "v", Value: core.Some(core.JSON(`"w"`))}))(t)
		d := h.Deployed(func(c *core.DeploymentCreate) { c.Parameters = core.Some(text(" old")) })
		watched := &watchedStore{Store: h.Store}
		watched.between = func() {
			if err := h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{Parameters: core.Some(text(" new"))}); err != nil {
				t.Error(err)
			}
		}
		other := local.New(local.Config{Templates: jinja.New(), Store: watched, Bus: h.Bus, Sealer: h.Sealer, Log: slog.New(slog.DiscardHandler)})
		run := localtest.Must(other.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{EnforceParameterSchema: core.Ptr(false)}))(t)
		if got := run.Parameters.Map(); got["text"] != "2 new" || got["v"] != "w" {
			t.Errorf("parameters %s", run.Parameters)
		}
		if watched.within.Load() != 0 || watched.reads.Load() != 2 {
			t.Errorf("%d of %d readings within transactions, want 0 of 2", watched.within.Load(), watched.reads.Load())
		}

		// So is the input of a paused run.
		paused := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
		h.Set(paused.ID, core.Running, core.Accept)
		keys := map[string]string{"schema": "paused-1-schema", "response": "paused-1-response"}
		localtest.Must(h.SetFlowRunState(h.Ctx, paused.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("1"), RunInputKeyset: keys}}, false))(t)
		if err := h.CreateFlowRunInput(h.Ctx, paused.ID, "paused-1-schema", `{"type":"object","properties":{"v":{"type":"string"}}}`, ""); err != nil {
			t.Fatal(err)
		}
		input := core.JSON(`{"v":{"__prefect_kind":"workspace_variable","variable_name":"v"}}`)
		if r := localtest.Must(other.ResumeFlowRun(h.Ctx, paused.ID, input))(t); r.Status != core.Accept {
			t.Errorf("resumed: %+v", r)
		}
		if v := localtest.Must(h.FlowRunInput(h.Ctx, paused.ID, "paused-1-response"))(t); v != `{"v":"w"}` || watched.within.Load() != 0 {
			t.Errorf("stored %s; %d readings within transactions", v, watched.within.Load())
		}
	})
}
