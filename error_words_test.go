package flowlite_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// outside are words of the command line: names of variables of the environment,
// and flags.
var outside = regexp.MustCompile(`FLOWLITE_[A-Z]|(^|[ (])--[a-z]`)

// Errors of the packages that programs link speak Go. The command line adds what
// its users can do. What has a reason to name a flag is listed with it.
func TestErrorsOfLibrariesNameNoFlags(t *testing.T) {
	excused := map[string]string{
		"main.go":                   "the command line of a flow binary",
		"runtime/api/reach.go":      "the variables of a flow's process are what the advice is about",
		"runtime/server/config.go":  "a program's App has no roles",
		"runtime/server/setting.go": "the names of settings for either kind of user",
		"db/copy_source.go":         "flowlite db copy alone gets here",
		"runtime/worker/prepare.go": "what a flow's process is given",
		"runtime/core/environ.go":   "what is withheld from a flow's process",
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Dir}}", ".", "./runtime/embed").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path != module && !strings.HasPrefix(path, module+"/") {
			continue
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			short, _ := filepath.Rel(root, name)
			if strings.HasSuffix(name, "_test.go") || excused[filepath.ToSlash(short)] != "" {
				continue
			}
			for _, text := range messages(t, name) {
				if outside.MatchString(text) {
					t.Errorf("%s: %s", short, text)
				}
			}
		}
	}
}

// messages are the texts in a file that go into errors.
func messages(t *testing.T, name string) (all []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	texts := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				all = append(all, l.Value)
			}
			return true
		})
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Errorf", "New"}, s.Sel.Name) {
				texts(n)
			}
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Message" {
				texts(n.Value)
			}
		case *ast.AssignStmt: // e.Message = "…"
			for i, l := range n.Lhs {
				if s, ok := l.(*ast.SelectorExpr); ok && s.Sel.Name == "Message" && i < len(n.Rhs) {
					texts(n.Rhs[i])
				}
			}
		}
		return true
	})
	return all
}
