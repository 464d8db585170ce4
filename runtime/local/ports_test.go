package local_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/flowlite/flowlite"
	root   = "../.."
	wide   = 40 // methods: an interface with more is declared by nobody
)

// whole are the places that may take an interface of more than 40 methods, and why.
var whole = map[string]string{
	"runtime/core":            "declares what a database can do",
	"runtime/local":           "is given the database and hands each package its part",
	"runtime/local/localtest": "opens databases for tests",
	"runtime/engine":          "executes runs: all that a core.Orchestrator does is its port",
	"runtime/client":          "implements a core.Orchestrator over HTTP",
	"runtime/flowtest":        "is a core.Orchestrator with faults for tests",
	".":                       "connects a program to a core.Orchestrator",
	"runtime/server":          "opens the database and hands it on",
	"runtime/ui/uitest":       "opens databases for tests",
	"db":                      "implements it",
	"db/dbtest":               "tests it",
}

// TestPackagesDeclareWhatTheyUse reads the code: outside of the places above, no package
// declares or takes an interface of more than 40 methods, embedded ones counted, but a
// port of its own or one of core's for a kind of record. Two places may: StoreOf, which
// makes all ports of one database, and the function that a Writer runs in a transaction,
// because one type serves the transactions of all packages. Each method of a port of the
// database is called.
func TestPackagesDeclareWhatTheyUse(t *testing.T) {
	s := readSources(t)
	used, ports := map[string]bool{}, map[string]int{}
	for dir, p := range s.packages {
		called := s.calls(dir)
		for name, port := range p.interfaces {
			if !isPort(name) || dir == "runtime/core" {
				continue
			}
			ports[dir]++
			for _, m := range port.Methods.List {
				for _, method := range m.Names {
					if !called[method.Name] {
						t.Errorf("%s: nothing calls %s", s.fset.Position(method.Pos()), method.Name)
					}
				}
			}
		}
		for at, name := range s.wideIn(dir, p) {
			if whole[dir] == "" {
				t.Errorf("%s: %s has more than %d methods; declare those that are used here", s.fset.Position(at), name, wide)
			}
			used[dir] = true
		}
	}
	for dir := range whole {
		if !used[dir] {
			t.Errorf("%s has no interface of more than %d methods: strike it off the exceptions", dir, wide)
		}
	}
	for _, room := range []string{"api", "automation", "block", "commit", "data", "limit", "orchestrate", "retention", "server", "ui/run"} {
		if ports["runtime/"+room] == 0 {
			t.Errorf("found no port of the database in %s", room)
		}
	}
}

func isPort(name string) bool {
	name = strings.ToUpper(name[:1]) + name[1:]
	return strings.HasSuffix(name, "Store") || strings.HasSuffix(name, "Reader") || strings.HasSuffix(name, "Tx")
}

// sources are the packages of the module by their directory, without tests and
// generated code.
type sources struct {
	fset     *token.FileSet
	packages map[string]*source
}

type source struct {
	files      []*ast.File
	interfaces map[string]*ast.InterfaceType
	in         map[*ast.InterfaceType]*ast.File
}

func readSources(t *testing.T) *sources {
	t.Helper()
	s := &sources{token.NewFileSet(), map[string]*source{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go"),
			strings.HasSuffix(path, ".sql.go"), strings.HasSuffix(path, "_templ.go"):
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(s.fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p := s.packages[filepath.ToSlash(dir)]
		if p == nil {
			p = &source{interfaces: map[string]*ast.InterfaceType{}, in: map[*ast.InterfaceType]*ast.File{}}
			s.packages[filepath.ToSlash(dir)] = p
		}
		p.files = append(p.files, file)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if i, ok := n.Type.(*ast.InterfaceType); ok {
					p.interfaces[n.Name.Name] = i
				}
			case *ast.InterfaceType:
				p.in[n] = file
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// calls are the names of what is selected anywhere in a package, or in a file that
// imports it.
func (s *sources) calls(dir string) map[string]bool {
	called := map[string]bool{}
	for other, p := range s.packages {
		for _, file := range p.files {
			if other != dir && !imports(file, dir) {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if n, ok := n.(*ast.SelectorExpr); ok {
					called[n.Sel.Name] = true
				}
				return true
			})
		}
	}
	return called
}

func imports(file *ast.File, dir string) bool {
	return slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(module+"/"+dir) })
}

// methods are the names of the methods of an interface type or of the interface that an
// expression names, with those of embedded ones. Interfaces of other modules have none.
func (s *sources) methods(dir string, file *ast.File, of ast.Expr) map[string]bool {
	found := map[string]bool{}
	switch of := of.(type) {
	case *ast.Ident:
		p := s.packages[dir]
		if i := p.interfaces[of.Name]; i != nil {
			return s.methods(dir, p.in[i], i)
		}
	case *ast.SelectorExpr:
		from, ok := of.X.(*ast.Ident)
		if !ok {
			return nil
		}
		other := imported(file, from.Name)
		if p := s.packages[other]; other != "" && p != nil && p.interfaces[of.Sel.Name] != nil {
			i := p.interfaces[of.Sel.Name]
			return s.methods(other, p.in[i], i)
		}
	case *ast.InterfaceType:
		for _, m := range of.Methods.List {
			if len(m.Names) == 0 {
				maps.Copy(found, s.methods(dir, file, m.Type))
			}
			for _, name := range m.Names {
				found[name.Name] = true
			}
		}
	}
	return found
}

// imported is the directory of the package of this module that file calls name.
func imported(file *ast.File, name string) string {
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		dir, ours := strings.CutPrefix(path, module+"/")
		if err == nil && ours && (i.Name != nil && i.Name.Name == name || i.Name == nil && filepath.Base(dir) == name) {
			return dir
		}
	}
	return ""
}

// wideIn are the places of a package that declare or name an interface with too many
// methods, and what it is called there.
func (s *sources) wideIn(dir string, p *source) map[token.Pos]string {
	found := map[token.Pos]string{}
	for _, file := range p.files {
		given := transactions(file)
		names := map[ast.Node]bool{} // fields, methods, and declared names, which name no type
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "StoreOf" {
					return false
				}
				names[n.Name] = true
			case *ast.Field:
				for _, name := range n.Names {
					names[name] = true
				}
			case *ast.KeyValueExpr:
				names[n.Key] = true
			case *ast.SelectorExpr:
				names[n.Sel] = true
				if !given[n] && len(s.methods(dir, file, n)) > wide {
					found[n.Pos()] = n.X.(*ast.Ident).Name + "." + n.Sel.Name
				}
			case *ast.Ident:
				if !names[n] && !given[n] && len(s.methods(dir, file, n)) > wide {
					found[n.Pos()] = n.Name
				}
			case *ast.InterfaceType:
				if len(s.methods(dir, file, n)) > wide {
					found[n.Pos()] = "this interface"
				}
			}
			return true
		})
	}
	return found
}

// transactions are the parameters of functions that run in a transaction: literals,
// and the types of functions that are handed on.
func transactions(file *ast.File) map[ast.Expr]bool {
	given := map[ast.Expr]bool{}
	var declared []*ast.FuncType
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			declared = append(declared, n.Type)
		case *ast.InterfaceType:
			for _, m := range n.Methods.List {
				if f, ok := m.Type.(*ast.FuncType); ok {
					declared = append(declared, f)
				}
			}
		case *ast.FuncType:
			if slices.Contains(declared, n) {
				return true
			}
			for _, p := range n.Params.List {
				if s, ok := p.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Tx" {
					given[s] = true
				}
			}
		}
		return true
	})
	return given
}
