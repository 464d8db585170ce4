package local_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackagesDeclareWhatTheyUse reads the code: the packages below orchestrate, and
// those beside it, take no whole core.Store, core.Reader, or core.Tx, but a port of
// their own or one of core's for a kind of record. The function that a Writer runs in
// a transaction is given the whole one, because one type serves the transactions of
// all packages. Each method of a port is called.
func TestPackagesDeclareWhatTheyUse(t *testing.T) {
	for room, ports := range map[string]int{
		"automation": 2, "block": 2, "commit": 1, "data": 0, "limit": 2, "retention": 1, "trigger": 0,
	} {
		fset := token.NewFileSet()
		names, err := filepath.Glob("../" + room + "/*.go")
		if err != nil || len(names) == 0 {
			t.Fatal(room, err)
		}
		called, declared := map[string]bool{}, 0
		methods := map[string]token.Pos{}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(fset, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			given := transactions(file)
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					called[n.Sel.Name] = true
					if from, ok := n.X.(*ast.Ident); !ok || from.Name != "core" || given[n] {
						return true
					}
					if kind := n.Sel.Name; kind == "Store" || kind == "Reader" || kind == "Tx" {
						t.Errorf("%s: declare the methods of core.%s that are used here", fset.Position(n.Pos()), kind)
					}
				case *ast.TypeSpec:
					port, ok := n.Type.(*ast.InterfaceType)
					if !ok || n.Name.Name != "Store" && n.Name.Name != "Tx" {
						return true
					}
					declared++
					for _, m := range port.Methods.List {
						for _, name := range m.Names {
							methods[name.Name] = name.Pos()
						}
					}
				}
				return true
			})
		}
		for name, at := range methods {
			if !called[name] {
				t.Errorf("%s: nothing calls %s", fset.Position(at), name)
			}
		}
		if declared != ports {
			t.Errorf("%s declares %d ports of the database, want %d", room, declared, ports)
		}
	}
}

// transactions are the parameters of functions that run in a transaction: literals,
// and the types of functions that are handed on.
func transactions(file *ast.File) map[*ast.SelectorExpr]bool {
	given := map[*ast.SelectorExpr]bool{}
	declared := map[*ast.FuncType]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncDecl); ok {
			declared[f.Type] = true
		}
		f, ok := n.(*ast.FuncType)
		if !ok || declared[f] {
			return true
		}
		for _, p := range f.Params.List {
			if s, ok := p.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Tx" {
				given[s] = true
			}
		}
		return true
	})
	return given
}
