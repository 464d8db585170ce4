package build

import (
	"errors"
	"go/ast"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

const sdkPath = "github.com/flowlite/flowlite"

// Package is a folder of Go files that holds flows.
type Package struct {
	Dir   string // absolute
	Name  string
	Main  bool // compiled as it is: it has its own flowlite.Main
	Flows []Flow
	// Err is a syntax error: what else is known of the package may be incomplete.
	Err error
}

// Flow is an exported variable made by flowlite.NewFlow.
type Flow struct {
	File     string // base name
	Name     string // of the variable
	FlowName string // the literal first argument, if it is one
}

// Find lists the packages below dir that hold flows, by folder. Hidden
// folders, testdata and vendor are left out, and so are nested modules' tests.
func Find(dir string) ([]*Package, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "flows folder %q: %w", dir, err)
	}
	var found []*Package
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == root {
				return err
			}
			return nil
		}
		if !d.IsDir() {
			return nil
		}
		if p != root && Ignored(d.Name()) {
			return filepath.SkipDir
		}
		pkg, err := ParseDir(p)
		if err == nil && pkg != nil && (len(pkg.Flows) > 0 || pkg.Err != nil || pkg.Main) {
			found = append(found, pkg)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, core.Errorf(core.ENotFound, "there is no flows folder %s", root)
	}
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "read flows folder %s: %w", root, err)
	}
	return found, nil
}

// Ignored are the folders that never hold flows.
func Ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor" || name == "node_modules"
}

// ParseDir reads one folder's package; nil if there are no Go files in it
// that use flowlite.
func ParseDir(dir string) (*Package, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	pkg := &Package{Dir: dir}
	uses := false
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if ok, err := gobuild.Default.MatchFile(dir, name); err != nil || !ok {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if file == nil || file.Name == nil {
			if err != nil && pkg.Err == nil {
				pkg.Err = err
			}
			continue
		}
		local, imported := importName(file)
		uses = uses || imported
		if err != nil {
			if pkg.Err == nil && imported {
				pkg.Err = err
			}
		}
		if pkg.Name == "" {
			pkg.Name = file.Name.Name
		}
		if file.Name.Name == "main" && imported && callsMain(file, local) {
			pkg.Main = true
		}
		if imported {
			pkg.Flows = append(pkg.Flows, flowsOf(file, name, local)...)
		}
	}
	if !uses && pkg.Err == nil {
		return nil, nil
	}
	sort.SliceStable(pkg.Flows, func(i, j int) bool { return pkg.Flows[i].File < pkg.Flows[j].File })
	return pkg, nil
}

// importName is what the file calls the SDK: "flowlite", an alias, or "." .
func importName(file *ast.File) (string, bool) {
	for _, imp := range file.Imports {
		p, err := strconv.Unquote(imp.Path.Value)
		if err != nil || p != sdkPath {
			continue
		}
		if imp.Name != nil {
			return imp.Name.Name, imp.Name.Name != "_"
		}
		return path.Base(sdkPath), true
	}
	return "", false
}

func flowsOf(file *ast.File, base, local string) (flows []Flow) {
	for _, d := range file.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, s := range gen.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for i, id := range spec.Names {
				if i >= len(spec.Values) || (!id.IsExported() && file.Name.Name != "main") {
					continue
				}
				if name, ok := newFlowCall(spec.Values[i], local); ok {
					flows = append(flows, Flow{File: base, Name: id.Name, FlowName: name})
				}
			}
		}
	}
	return flows
}

// newFlowCall sees through type arguments and chained methods.
func newFlowCall(e ast.Expr, local string) (string, bool) {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	if isSDK(call.Fun, local, "NewFlow") {
		if len(call.Args) > 0 {
			if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				return s, true
			}
		}
		return "", true
	}
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
		return newFlowCall(sel.X, local)
	}
	return "", false
}

func isSDK(fun ast.Expr, local, name string) bool {
	switch f := fun.(type) {
	case *ast.IndexExpr:
		return isSDK(f.X, local, name)
	case *ast.IndexListExpr:
		return isSDK(f.X, local, name)
	case *ast.Ident:
		return local == "." && f.Name == name
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == local && f.Sel.Name == name
	}
	return false
}

func callsMain(file *ast.File, local string) (found bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && isSDK(call.Fun, local, "Main") {
			found = true
		}
		return !found
	})
	return found
}

// Lookup finds the flow that an entrypoint names, by variable or flow name.
func (p *Package) Lookup(e Entrypoint) (Flow, error) {
	base := filepath.Base(e.Path)
	var here, elsewhere []string
	for _, f := range p.Flows {
		if f.File == base {
			if f.Name == e.Name || (f.FlowName != "" && f.FlowName == e.Name) {
				return f, nil
			}
			here = append(here, f.Name)
		} else if f.Name == e.Name || f.FlowName == e.Name {
			elsewhere = append(elsewhere, path.Join(path.Dir(filepath.ToSlash(e.Path)), f.File)+":"+f.Name)
		}
	}
	switch {
	case len(elsewhere) > 0:
		return Flow{}, core.Errorf(core.ENotFound, "there is no flow %s in %s; did you mean %s?", e.Name, e.Path, elsewhere[0])
	case len(here) > 0:
		return Flow{}, core.Errorf(core.ENotFound, "there is no flow %s in %s; it has %s", e.Name, e.Path, strings.Join(here, ", "))
	case p.Err != nil:
		return Flow{}, &Error{First: p.Err.Error(), Output: p.Err.Error()}
	}
	return Flow{}, core.Errorf(
		core.ENotFound,
		"there is no flow in %s; a flow is an exported variable: var %s = flowlite.NewFlow(...)",
		e.Path,
		e.Name,
	)
}
