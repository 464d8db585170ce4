package build

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// module makes a Go module with a stand-in for the SDK, so that a build takes
// a moment and tests need nothing from outside.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"go.mod":     "module example.com/shop\n\ngo 1.26\n\nrequire github.com/flowlite/flowlite v0.0.0\n\nreplace github.com/flowlite/flowlite => ./sdk\n",
		"sdk/go.mod": "module github.com/flowlite/flowlite\n\ngo 1.26\n",
		"sdk/sdk.go": `package flowlite

import "os"

type AnyFlow interface{ Name() string }
type Flow[P any] struct{ name string }

func (f *Flow[P]) Name() string { return f.name }
func NewFlow[P any](name string, fn func(P)) *Flow[P] { return &Flow[P]{name} }

func Main(flows ...AnyFlow) {
	m := map[string]AnyFlow{}
	for _, f := range flows {
		m[f.Name()] = f
	}
	MainEntrypoints(m)
}

func MainEntrypoints(flows map[string]AnyFlow) {
	out, sep := "", ""
	for k, f := range flows {
		out, sep = out+sep+"{\"entrypoint\":\""+k+"\",\"name\":\""+f.Name()+"\",\"deployments\":[{\"name\":\"dev\"}]}", ","
	}
	os.Stdout.WriteString("{\"flows\":[" + out + "]}\n")
}
`,
	}
	maps.Copy(all, files)
	for name, text := range all {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const adder = `package flows

import "github.com/flowlite/flowlite"

type P struct{ A int }

var Adder = flowlite.NewFlow[P]("adder", func(P) {})
var hidden = flowlite.NewFlow("hidden", func(P) {})
`

func entry(t *testing.T, dir, text string) Entrypoint {
	t.Helper()
	e, err := ParseEntrypoint(dir, text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestBuildIsCachedUntilTheSourceChanges(t *testing.T) {
	dir := module(t, map[string]string{
		"flows/adder.go": strings.Replace(adder, `import "github.com/flowlite/flowlite"`, "import (\n\t\"example.com/shop/lib\"\n\t\"github.com/flowlite/flowlite\"\n)\n\nvar _ = lib.X", 1),
		"lib/lib.go":     "package lib\n\nconst X = 1\n",
	})
	cache := t.TempDir()
	e := entry(t, dir, "flows/adder.go:Adder")
	ctx := context.Background()
	b := New(cache)
	first, cached, err := b.Build(ctx, e)
	if err != nil || cached {
		t.Fatalf("first build: %v, cached %v", err, cached)
	}
	r, err := Describe(ctx, first, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Flows) != 1 || r.Flows[0].Entrypoint != "Adder" || r.Flows[0].Deployments[0].Name != "dev" {
		t.Fatalf("registry %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "flows", overlayDir)); !os.IsNotExist(err) {
		t.Fatal("something was written into the user's tree")
	}

	// Another process finds it by the index, quickly.
	b = New(cache)
	began := time.Now()
	again, cached, err := b.Build(ctx, e)
	if err != nil || !cached || again != first {
		t.Fatalf("second build: %v, cached %v, %s", err, cached, again)
	}
	if d := time.Since(began); d > 50*time.Millisecond {
		t.Errorf("unchanged source took %s", d)
	}

	// Touched, but the same: no compilation, the same binary.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "flows/adder.go"), later, later); err != nil {
		t.Fatal(err)
	}
	if again, cached, err = b.Build(ctx, e); err != nil || !cached || again != first {
		t.Fatalf("touched: %v, cached %v", err, cached)
	}

	// A dependency in the module counts.
	write(t, filepath.Join(dir, "lib/lib.go"), "package lib\n\nconst X = 22\n")
	changed, cached, err := b.Build(ctx, e)
	if err != nil || cached || changed == first {
		t.Fatalf("changed: %v, cached %v", err, cached)
	}
	// And back again is there already.
	write(t, filepath.Join(dir, "lib/lib.go"), "package lib\n\nconst X = 1\n")
	if again, cached, err = b.Build(ctx, e); err != nil || !cached || again != first {
		t.Fatalf("changed back: %v, cached %v", err, cached)
	}
	// A new file is seen too.
	write(t, filepath.Join(dir, "flows/other.go"), strings.NewReplacer("Adder", "Other", "adder", "other", "type P struct{ A int }", "", "hidden", "veiled").Replace(adder))
	bin, cached, err := b.Build(ctx, entry(t, dir, "flows/other.go:Other"))
	if err != nil || cached {
		t.Fatalf("new file: %v, cached %v", err, cached)
	}
	if r, err := Describe(ctx, bin, nil); err != nil || len(r.Flows) != 2 {
		t.Fatalf("registry %+v, %v", r, err)
	}
}

func TestPackageMainIsBuiltAsItIs(t *testing.T) {
	dir := module(t, map[string]string{"etl/main.go": strings.Replace(adder, "package flows", "package main", 1) + "\nfunc main() { flowlite.Main(Adder, hidden) }\n"})
	bin, _, err := New(t.TempDir()).Build(context.Background(), entry(t, dir, "etl/main.go:adder"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Describe(context.Background(), bin, nil)
	if err != nil || len(r.Flows) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	// The binary itself is an entrypoint.
	if same, cached, err := New(t.TempDir()).Build(context.Background(), entry(t, "/", bin+":adder")); err != nil || !cached || same != bin {
		t.Fatal(same, cached, err)
	}
}

func TestBuildErrors(t *testing.T) {
	dir := module(t, map[string]string{
		"flows/adder.go":  adder,
		"broken/bad.go":   adder + "\nvar x int = \"text\"\n",
		"syntax/bad.go":   adder + "\nfunc {\n",
		"plain/plain.go":  "package plain\n",
		"script/notes.py": "x = 1\n",
		"flows/data.txt":  "",
	})
	for _, c := range []struct{ entry, want string }{
		{"flows/none.go:Adder", "there is no file flows/none.go"},
		{"flows/adder.go:Addr", "it has Adder"},
		{"flows/adder.go:hidden", "it has Adder"},
		{"broken/bad.go:Adder", "broken/bad.go:10:13: cannot use \"text\""},
		{"syntax/bad.go:Adder", "syntax/bad.go:10:6:"},
		{"plain/plain.go:X", "a flow is an exported variable"},
		{"script/notes.py:main", "is a Python flow"},
		{"flows/data.txt:main", "not executable"},
		{"flows:main", "is a folder"},
	} {
		_, _, err := New(t.TempDir()).Build(context.Background(), entry(t, dir, c.entry))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.entry, err, c.want)
		}
	}
	_, _, err := New(t.TempDir()).Build(context.Background(), entry(t, dir, "broken/bad.go:Adder"))
	var be *Error
	if !errors.As(err, &be) || !strings.Contains(be.Output, "bad.go") {
		t.Errorf("%v is no build error with output", err)
	}
	if _, err := ParseEntrypoint(dir, "flows/adder.go"); core.CodeOf(err) != core.EInvalid {
		t.Error(err)
	}
	t.Setenv("PATH", "")
	t.Setenv("GOROOT", "")
	t.Setenv("HOME", t.TempDir())
	if _, err := os.Stat("/usr/local/go/bin/go"); err != nil {
		if _, _, err := New(t.TempDir()).Build(context.Background(), entry(t, dir, "flows/adder.go:Adder")); err == nil || !strings.Contains(err.Error(), "go command was not found") {
			t.Error(err)
		}
	}
}

func TestDescribeOfSomethingElse(t *testing.T) {
	for script, want := range map[string]string{
		"#!/bin/sh\necho hello\n":                "something else than its flows",
		"#!/bin/sh\necho 'panic: x' >&2\nexit 2": "panic: x",
	} {
		p := filepath.Join(t.TempDir(), "tool")
		if err := os.WriteFile(p, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := Describe(context.Background(), p, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestFind(t *testing.T) {
	dir := module(t, map[string]string{
		"flows/adder.go":          adder,
		"flows/adder_test.go":     "package flows\n",
		"flows/sub/sub.go":        strings.Replace(adder, "flowlite.NewFlow[P]", "flowlite.NewFlow", 1),
		"flows/alias/alias.go":    "package alias\n\nimport fl \"github.com/flowlite/flowlite\"\n\nvar A, B = fl.NewFlow(\"a\", func(int) {}), 1\n",
		"flows/testdata/x.go":     adder,
		"flows/.hidden/x.go":      adder,
		"flows/ignored/script.go": "//go:build ignore\n\n" + adder,
	})
	pkgs, err := Find(filepath.Join(dir, "flows"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range pkgs {
		for _, f := range p.Flows {
			got = append(got, filepath.Base(p.Dir)+"/"+f.File+":"+f.Name+"="+f.FlowName)
		}
	}
	want := "flows/adder.go:Adder=adder alias/alias.go:A=a sub/sub.go:Adder=adder"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("found %s, want %s", s, want)
	}
	if _, err := Find(filepath.Join(dir, "nothing")); !core.IsNotFound(err) {
		t.Error(err)
	}
}
