package flowlite_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/flowlite/flowlite"

// dependencies are the packages that one links.
func dependencies(t *testing.T, of string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", of).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// A flow binary links the SDK and what it needs to talk to a server: nothing of
// the server itself.
func TestSDKDoesNotCarryTheServer(t *testing.T) {
	light := []string{module, module + "/runtime/core", module + "/runtime/engine", module + "/runtime/client", module + "/runtime/schema",
		module + "/runtime/worker", module + "/runtime/worker/build", module + "/runtime/worker/python", module + "/runtime/worker/account", module + "/runtime/access", module + "/runtime/backoff"}
	denied := []string{"sqlite", "redis", "pgx", "templ", "gonja", "logrus", "json-iterator", "shoutrrr", "goldmark", "fsnotify", "kong"}
	for _, dep := range dependencies(t, ".") {
		if strings.HasPrefix(dep, module) && !slices.Contains(light, dep) {
			t.Errorf("the root package imports %s", dep)
		}
		for _, d := range denied {
			if !strings.HasPrefix(dep, module) && strings.Contains(dep, d) {
				t.Errorf("the root package imports %s", dep)
			}
		}
	}
}

// A program that embeds flowlite links neither Redis, Prometheus, Jinja, nor what sends
// notifications, unless it imports their packages and sets the fields of Config.
func TestEmbedLeavesOutWhatIsNotUsed(t *testing.T) {
	for _, dep := range dependencies(t, "./runtime/embed") {
		for _, d := range []string{"redis", "gonja", "logrus", "json-iterator", "shoutrrr", "prometheus", "kong"} {
			if strings.Contains(dep, d) {
				t.Errorf("runtime/embed imports %s", dep)
			}
		}
	}
}

// Sizes of stripped programs: one of flows, and one that has the server and its UI, too.
// What calls methods by names that it computes, such as text/template, keeps the linker
// from leaving out any method: the second program would then have 3 MB more.
const maxFlowBinary, maxAppBinary = 14 << 20, 32_000_000

func TestBinariesAreSmall(t *testing.T) {
	for most, path := range map[int64]string{maxFlowBinary: flowBinary(t), maxAppBinary: appBinary(t)} {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s has %.1f MB", filepath.Base(path), float64(st.Size())/1e6)
		if st.Size() > most {
			t.Errorf("%s has %d bytes stripped, at most %d are allowed", filepath.Base(path), st.Size(), most)
		}
	}
}

// public are the packages that users import.
var public = map[string]string{module: ".", module + "/runtime/embed": "runtime/embed"}

// source is a package with its tests.
func source(t *testing.T, path, dir string) (*doc.Package, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatal(dir, err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	var code []*ast.File
	for _, name := range names {
		for _, list := range []*[]*ast.File{&files, &code} {
			if list == &code && strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			*list = append(*list, f)
		}
	}
	p, err := doc.NewFromFiles(fset, files, path) // takes the files apart
	if err != nil {
		t.Fatal(err)
	}
	return p, code
}

// functions are the exported functions and methods of a package.
func functions(p *doc.Package) (all []*doc.Func) {
	all = append(all, p.Funcs...)
	for _, typ := range p.Types {
		all = append(append(all, typ.Funcs...), typ.Methods...)
	}
	return all
}

// What users see has no type that is not theirs. The typed client is: a package
// of methods, one for each operation of the API. A Meter, a Redis, an Engine, and a Sender
// are what packages make that a program imports to set them.
func TestNoInternalTypeIsPublic(t *testing.T) {
	allowed := []string{"client.Client", "server.Meter", "server.Redis", "template.Engine", "notify.Sender"}
	for path, dir := range public {
		p, code := source(t, path, dir)
		internal := map[string]bool{}
		for _, f := range code {
			for _, i := range f.Imports {
				at := strings.Trim(i.Path.Value, `"`)
				if _, is := public[at]; !is && strings.HasPrefix(at, module) {
					internal[filepath.Base(at)] = true
				}
			}
		}
		check := func(what string, n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					x, _ := s.X.(*ast.Ident)
					if x != nil && internal[x.Name] && !slices.Contains(allowed, x.Name+"."+s.Sel.Name) {
						t.Errorf("%s of %s shows %s.%s", what, path, x.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
		for _, f := range functions(p) {
			check(f.Name, f.Decl.Type)
		}
		for _, typ := range p.Types {
			check(typ.Name, typ.Decl)
		}
	}
}

// A program that uses the SDK shares nothing between its parts but what it
// passes on: the packages have no variables, except errors.
func TestNoPackageState(t *testing.T) {
	for path, dir := range public {
		_, code := source(t, path, dir)
		for _, f := range code {
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, spec := range g.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						if !strings.HasPrefix(strings.ToLower(name.Name), "err") && name.Name != "_" {
							t.Errorf("%s has the variable %s", path, name.Name)
						}
					}
				}
			}
		}
	}
}

// Every exported name has a doc comment that begins with it, and is shown at
// work: it stands in an example whose output is checked. A function that does
// something, rather than set an option, has an example of its own.
func TestEveryNameHasAnExample(t *testing.T) {
	for path, dir := range public {
		p, _ := source(t, path, dir)
		own := map[string]bool{}
		shown := map[string]bool{}
		examples := slices.Clone(p.Examples)
		for _, typ := range p.Types {
			examples = append(examples, typ.Examples...)
			for _, f := range append(typ.Funcs, typ.Methods...) {
				examples = append(examples, f.Examples...)
			}
		}
		for _, f := range p.Funcs {
			examples = append(examples, f.Examples...)
		}
		for _, e := range examples {
			if e.Output == "" && !e.EmptyOutput {
				t.Errorf("the example %s of %s does not run", e.Name, path)
			}
			name, _, _ := strings.Cut(e.Name, "_")
			own[name] = true
			ast.Inspect(e.Code, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					shown[s.Sel.Name] = true
				}
				return true
			})
		}
		for _, f := range functions(p) {
			name := f.Name
			if f.Recv == "" && !setsOption(f.Decl) && !own[name] {
				t.Errorf("%s.%s has no Example%s", path, name, name)
			}
			if !shown[name] {
				t.Errorf("%s.%s stands in no example", path, name)
			}
			if !strings.HasPrefix(f.Doc, name+" ") {
				t.Errorf("the doc comment of %s.%s does not begin with its name: %q", path, name, f.Doc)
			}
		}
		for _, typ := range p.Types {
			if !strings.HasPrefix(typ.Doc, typ.Name+" ") {
				t.Errorf("the doc comment of %s.%s does not begin with its name: %q", path, typ.Name, typ.Doc)
			}
		}
	}
}

// setsOption reports whether a function returns an option.
func setsOption(f *ast.FuncDecl) bool {
	if f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return false
	}
	name, ok := f.Type.Results.List[0].Type.(*ast.Ident)
	return ok && strings.HasSuffix(name.Name, "Option")
}
