package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// encoding/json decodes a number into float64 where the target does not say
// what it is, and 9007199254740993 becomes 9007199254740992. Such targets are
// for core.Unmarshal and the methods of core.JSON alone, which keep numbers as
// they are written.
func TestNoNumberIsDecodedIntoAFloatUnasked(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
			return err
		}
		files++
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		if strings.HasSuffix(filepath.ToSlash(path), "runtime/flowtest/flowtest.go") {
			return nil // decodes into the type that a user's test gives
		}
		for _, at := range loose(file) {
			t.Errorf("%s: decodes into a target of type any; use core.Unmarshal, or JSON.Decode, Tree, or Object", fset.Position(at))
		}
		return nil
	})
	if err != nil || files < 300 {
		t.Fatal(files, "files", err)
	}
}

// The walk finds what it is for.
func TestLooseTargetsAreFound(t *testing.T) {
	for body, want := range map[string]int{
		`var v any; json.Unmarshal(b, &v)`:                                                        1,
		`m := map[string]any{}; json.Unmarshal(b, &m)`:                                            1,
		`var m map[string]interface{}; json.Unmarshal(b, &m)`:                                     1,
		`var m []map[string]any; json.NewDecoder(r).Decode(&m)`:                                   1,
		`var s struct{ A string; B []any }; json.Unmarshal(b, &s)`:                                1,
		`var v any; yaml.Unmarshal(b, &v)`:                                                        1,
		`var v any; var n yaml.Node; n.Decode(&v)`:                                                1,
		`m := []map[string]any{{}}; json.Unmarshal(b, &m[0])`:                                     1,
		`json.Unmarshal(b, out)`:                                                                  1,
		`json.Unmarshal(b, &w.V)`:                                                                 0,
		`var v any; d := json.NewDecoder(r); d.UseNumber(); d.Decode(&v)`:                         0,
		`var v map[string]json.RawMessage; json.Unmarshal(b, &v)`:                                 0,
		`var v T; json.Unmarshal(b, &v)`:                                                          0,
		`var v any; core.Unmarshal(b, &v)`:                                                        0,
		`var s struct{ A string; B map[string]string; C json.RawMessage }; json.Unmarshal(b, &s)`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc f(b []byte, r io.Reader, w W, out any) {\n"+body+"\n}", 0)
		if err != nil {
			t.Fatal(body, err)
		}
		if got := len(loose(file)); got != want {
			t.Errorf("%s: found %d, want %d", body, got, want)
		}
	}
}

// loose are the calls that decode JSON or YAML into a target of which the
// declaration, in the same function, leaves the type of a number open.
func loose(file *ast.File) (found []token.Pos) {
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		open := map[string]bool{}
		for _, list := range []*ast.FieldList{f.Type.Params, f.Type.Results} {
			if list == nil {
				continue
			}
			for _, field := range list.List {
				for _, name := range field.Names {
					open[name.Name] = isOpen(field.Type)
				}
			}
		}
		var here []token.Pos
		exact := false // the function asks for json.Number
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for _, name := range n.Names {
					open[name.Name] = n.Type != nil && isOpen(n.Type)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					name, ok := left.(*ast.Ident)
					if lit, isLit := at(n.Rhs, i).(*ast.CompositeLit); ok && isLit && n.Tok == token.DEFINE {
						open[name.Name] = lit.Type != nil && isOpen(lit.Type)
					}
				}
			case *ast.CallExpr:
				fun, ok := n.Fun.(*ast.SelectorExpr)
				if ok && fun.Sel.Name == "UseNumber" {
					exact = true
				}
				if !ok || len(n.Args) == 0 {
					return true
				}
				on, _ := fun.X.(*ast.Ident)
				decodes := fun.Sel.Name == "Decode" && len(n.Args) == 1 ||
					fun.Sel.Name == "Unmarshal" && on != nil && (on.Name == "json" || on.Name == "yaml")
				if target := name(n.Args[len(n.Args)-1]); decodes && open[target] {
					here = append(here, n.Pos())
				}
			}
			return true
		})
		if !exact {
			found = append(found, here...)
		}
	}
	return found
}

func at(list []ast.Expr, i int) ast.Expr {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// name is the variable of &v or v.
func name(e ast.Expr) string {
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		e = u.X
	}
	if item, ok := e.(*ast.IndexExpr); ok {
		e = item.X
	}
	id, _ := e.(*ast.Ident)
	if id == nil {
		return ""
	}
	return id.Name
}

// isOpen reports whether a type has any in it.
func isOpen(e ast.Expr) (open bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			open = open || n.Name == "any"
		case *ast.InterfaceType:
			open = open || len(n.Methods.List) == 0
		case *ast.Field: // names of fields are no types
			open = open || isOpen(n.Type)
			return false
		case *ast.FuncType:
			return false
		}
		return true
	})
	return open
}
