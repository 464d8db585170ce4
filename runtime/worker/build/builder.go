package build

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/flowlite/flowlite/runtime/core"
)

// Builder compiles flow packages into a cache folder. It is safe for use by
// many goroutines, and many processes may share the folder.
type Builder struct {
	cache   string
	flight  singleflight.Group
	mu      sync.Mutex
	indexes map[string]*index // by package folder
}

func New(cacheDir string) *Builder {
	return &Builder{cache: cacheDir, indexes: map[string]*index{}}
}

// Build returns the binary that holds the flow, and whether it was there
// already. A failed compilation is an *Error.
func (b *Builder) Build(ctx context.Context, e Entrypoint) (binary string, cached bool, err error) {
	if e.Kind() == Python {
		return "", false, core.Errorf(
			core.EInvalid,
			"%s is a Python flow, which is not compiled; deploy it by flowlite deploy %s or by Prefect, and workers run it with Prefect",
			e,
			core.ShellWord(e.String()),
		)
	}
	if err := e.Check(); err != nil {
		return "", false, err
	}
	if e.Kind() == Binary {
		return e.File(), true, nil
	}
	pkg, err := ParseDir(filepath.Dir(e.File()))
	if err != nil {
		return "", false, core.Errorf(core.EInvalid, "entrypoint %s: %w", e, err)
	}
	if pkg == nil {
		return "", false, core.Errorf(
			core.ENotFound,
			"there is no flow in %s; a flow is an exported variable: var %s = flowlite.NewFlow(...)",
			e.Path,
			e.Name,
		)
	}
	if pkg.Err != nil {
		return "", false, pkg.syntaxError()
	}
	if !pkg.Main {
		if _, err := pkg.Lookup(e); err != nil {
			return "", false, err
		}
	}
	return b.Package(ctx, pkg)
}

// Package compiles a whole package; all its flows share one binary.
func (b *Builder) Package(ctx context.Context, pkg *Package) (binary string, cached bool, err error) {
	if pkg.Err != nil {
		return "", false, pkg.syntaxError()
	}
	if bin, ok := b.fresh(pkg); ok {
		return bin, true, nil
	}
	type out struct {
		bin    string
		cached bool
	}
	v, err, _ := b.flight.Do(pkg.Dir, func() (any, error) {
		bin, cached, err := b.compile(ctx, pkg)
		return out{bin, cached}, err
	})
	if err != nil {
		return "", false, err
	}
	o := v.(out)
	return o.bin, o.cached, nil
}

func (p *Package) syntaxError() error {
	text := p.Err.Error()
	if root, err := moduleRoot(p.Dir); err == nil {
		text = strings.ReplaceAll(text, root+string(filepath.Separator), "")
	}
	return compileError(text, p.Err)
}

func (b *Builder) compile(ctx context.Context, pkg *Package) (string, bool, error) {
	root, err := moduleRoot(pkg.Dir)
	if err != nil {
		return "", false, err
	}
	tool, err := goTool()
	if err != nil {
		return "", false, err
	}
	idx, err := b.scan(ctx, tool, root, pkg)
	if err != nil {
		return "", false, err
	}
	if st, err := os.Stat(idx.Binary); err == nil && st.Mode().IsRegular() {
		b.remember(pkg.Dir, idx)
		return idx.Binary, true, nil
	}
	if err := os.MkdirAll(filepath.Dir(idx.Binary), 0o700); err != nil {
		return "", false, core.Errorf(core.EUnavailable, "build cache: %w", err)
	}
	tmp, err := os.MkdirTemp(b.cache, "build-")
	if err != nil {
		return "", false, core.Errorf(core.EUnavailable, "build cache: %w", err)
	}
	defer os.RemoveAll(tmp)

	out := filepath.Join(tmp, "flow")
	args := []string{"build", "-buildvcs=false", "-ldflags=-w", "-o", out}
	target := pkg.Dir
	if !pkg.Main {
		overlay, dir, err := writeOverlay(tmp, idx.ImportPath, pkg)
		if err != nil {
			return "", false, core.Errorf(core.EUnavailable, "build cache: %w", err)
		}
		args, target = append(args, "-overlay", overlay), dir
	}
	rel, err := filepath.Rel(root, target)
	if err != nil {
		return "", false, core.Errorf(core.EInternal, "build: %w", err)
	}
	cmd := exec.CommandContext(ctx, tool, append(args, "./"+filepath.ToSlash(rel))...)
	cmd.Dir = root
	cmd.Env = append(core.FlowEnviron(os.Environ()), "PWD="+root)
	if text, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return "", false, context.Cause(ctx)
		}
		return "", false, compileError(string(text), err)
	}
	// Rename last: a binary that is there is whole, whoever made it.
	if err := errors.Join(os.Chmod(out, 0o700), os.Rename(out, idx.Binary)); err != nil {
		return "", false, core.Errorf(core.EUnavailable, "build cache: %w", err)
	}
	b.remember(pkg.Dir, idx)
	b.prune(filepath.Dir(filepath.Dir(idx.Binary)))
	return idx.Binary, false, nil
}

// ErrNoGo is the cause of a build that failed because the machine has no Go.
var ErrNoGo = errors.New("the go command was not found")

// goTool is the go command: the one in PATH, else where installers put it.
func goTool() (string, error) {
	if p, err := exec.LookPath("go"); err == nil {
		return p, nil
	}
	home, _ := os.UserHomeDir()
	for _, dir := range []string{os.Getenv("GOROOT"), "/usr/local/go", "/usr/lib/go", "/opt/homebrew/opt/go/libexec", filepath.Join(home, "go", "sdk"), filepath.Join(home, ".local", "go")} {
		if dir == "" {
			continue
		}
		p := filepath.Join(dir, "bin", "go")
		if st, err := os.Stat(p); err == nil && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", core.Errorf(
		core.EInvalid,
		"%w, and Go flows must be compiled here; install Go (https://go.dev/dl) or put it in PATH, or deploy a binary made with flowlite.Main as path/binary:Name",
		ErrNoGo,
	)
}

func moduleRoot(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		if st, err := os.Stat(filepath.Join(d, "go.mod")); err == nil && !st.IsDir() {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", core.Errorf(core.EInvalid, "%s is in no Go module; run: go mod init example && go get %s", dir, sdkPath)
		}
	}
}

// overlayDir lies below the package, so that internal packages stay within reach.
const overlayDir = "flowlite_main_overlay"

func writeOverlay(tmp, importPath string, pkg *Package) (overlay, dir string, err error) {
	src := filepath.Join(tmp, "main.go")
	if err := os.WriteFile(src, mainSource(importPath, pkg), 0o600); err != nil {
		return "", "", err
	}
	dir = filepath.Join(pkg.Dir, overlayDir)
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(dir, "main.go"): src}})
	if err != nil {
		return "", "", err
	}
	overlay = filepath.Join(tmp, "overlay.json")
	return overlay, dir, os.WriteFile(overlay, text, 0o600)
}

func mainSource(importPath string, pkg *Package) []byte {
	var s strings.Builder
	s.WriteString("package main\n\nimport (\n\tflowlite \"" + sdkPath + "\"\n\tflows \"" + importPath + "\"\n)\n\n")
	s.WriteString("func main() {\n\tflowlite.MainEntrypoints(map[string]flowlite.AnyFlow{\n")
	for _, f := range pkg.Flows {
		s.WriteString("\t\t\"" + f.Name + "\": flows." + f.Name + ",\n")
	}
	s.WriteString("\t})\n}\n")
	return []byte(s.String())
}
