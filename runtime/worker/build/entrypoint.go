package build

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Entrypoint names a flow: an exported variable in a Go file, or a flow of a
// binary that was made with flowlite.Main.
type Entrypoint struct {
	Dir  string // absolute working directory that Path starts from
	Path string // file or binary, as it was written
	Name string // variable or flow name
}

// ParseEntrypoint splits "path:Name". dir is what relative paths start from.
func ParseEntrypoint(dir, text string) (Entrypoint, error) {
	i := strings.LastIndexByte(text, ':')
	if i <= 0 || i == len(text)-1 {
		return Entrypoint{}, core.Errorf(core.EInvalid,
			"entrypoint %q is not of the form path:Name; write one like flows/adder.go:Adder", text)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Entrypoint{}, core.Errorf(core.EInvalid, "working directory %q: %w", dir, err)
	}
	return Entrypoint{Dir: abs, Path: text[:i], Name: text[i+1:]}, nil
}

func (e Entrypoint) String() string { return e.Path + ":" + e.Name }

// File is the absolute path of the file or binary.
func (e Entrypoint) File() string {
	if filepath.IsAbs(e.Path) {
		return filepath.Clean(e.Path)
	}
	return filepath.Join(e.Dir, filepath.FromSlash(e.Path))
}

// Portable writes a path below Dir relative to it, so that the entrypoint is
// found wherever the project lies. False: it lies elsewhere on this machine.
func (e Entrypoint) Portable() (Entrypoint, bool) {
	if !filepath.IsAbs(e.Path) {
		return e, true
	}
	rel, err := filepath.Rel(resolved(e.Dir), resolved(e.Path))
	if err != nil || !filepath.IsLocal(rel) {
		return e, false
	}
	e.Path = filepath.ToSlash(rel)
	return e, true
}

// resolved is the path without symbolic links, where there is one.
func resolved(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}

// Kind of what the path points at.
type Kind int

const (
	Binary Kind = iota // an executable made with flowlite.Main
	Go                 // a Go source file
	Python             // a Prefect flow
)

func (e Entrypoint) Kind() Kind {
	switch strings.ToLower(filepath.Ext(e.Path)) {
	case ".go":
		return Go
	case ".py":
		return Python
	}
	return Binary
}

// Check tells whether the file is there and of use.
func (e Entrypoint) Check() error {
	st, err := os.Stat(e.File())
	switch {
	case os.IsNotExist(err):
		return core.Errorf(
			core.ENotFound,
			"entrypoint %s: there is no file %s in %s; check the path, or set the worker's working directory or the job variable working_dir to the project's directory",
			e,
			e.Path,
			e.Dir,
		)
	case err != nil:
		return core.Errorf(core.EInvalid, "entrypoint %s: %w", e, err)
	case st.IsDir():
		return core.Errorf(
			core.EInvalid,
			"entrypoint %s: %s is a folder; name a file in it, like %s/adder.go:Adder",
			e,
			e.Path,
			strings.TrimRight(e.Path, "/"),
		)
	case e.Kind() == Binary && st.Mode()&0o111 == 0:
		return core.Errorf(
			core.EInvalid,
			"entrypoint %s: %s is not executable; build it with go build and a main that calls flowlite.Main, or chmod +x it",
			e,
			e.Path,
		)
	}
	return nil
}
