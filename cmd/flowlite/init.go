package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

//go:embed project
var project embed.FS

const modulePath = "github.com/flowlite/flowlite"

type initCmd struct {
	Dir     string `arg:"" predictor:"folder" optional:"" default:"." help:"folder of the project; it is made if it is missing"`
	Name    string `help:"name of the project; default: that of the folder"`
	Python  bool   `help:"a flow in Python, for Prefect's @flow, instead of one in Go"`
	Replace string `placeholder:"FOLDER" help:"take the Go module from this checkout of flowlite; default: a release, or where this program was built"`
}

func (c *initCmd) Run(a *app) error {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	if c.Name == "" {
		c.Name = moduleName(filepath.Base(dir))
	}
	if !regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/-]*$`).MatchString(c.Name) {
		return badUsage("--name %q cannot be that of a Go module; use letters, digits, dots and dashes", c.Name)
	}
	if _, own := os.Stat(
		filepath.Join(dir, "go.mod"),
	); own != nil && !c.Python && inModule(dir) &&
		!regexp.MustCompile(`^[a-zA-Z0-9._~-]+$`).MatchString(filepath.Base(dir)) {
		return badUsage(
			"%q cannot be a folder of a Go module, and there is a go.mod above it; use letters, digits, dots and dashes",
			filepath.Base(dir),
		)
	}
	files, err := c.files(dir)
	if err != nil {
		return err
	}
	for name := range files { // nothing is written before all is known to be free
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return &failure{
				code: exitFailed,
				what: filepath.Join(c.Dir, name) + " is there already",
				hint: "say another folder: flowlite init FOLDER",
			}
		}
	}
	var names []string
	for _, name := range []string{"flowlite.yaml", "flows/hello.go", "flows/hello.py", "go.mod"} {
		text, ok := files[name]
		if !ok {
			continue
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
		names = append(names, filepath.Join(c.Dir, name))
		if a.out.ForPeople() {
			if err := a.out.Say(nil, "", "wrote %s", filepath.Join(c.Dir, name)); err != nil {
				return err
			}
		}
	}
	if !a.out.ForPeople() {
		if err := a.out.List(core.ToJSON(names), nil, names); err != nil {
			return err
		}
	}
	if !c.Python {
		if err := c.tidy(a, dir); err != nil {
			return err
		}
	}
	up := "flowlite up"
	if c.Dir != "." {
		up = "cd " + core.ShellWord(c.Dir) + " && " + up
	}
	a.out.Hint("%s; then flowlite deployment run hello/local --watch", up)
	return nil
}

func moduleName(folder string) string {
	name := regexp.MustCompile(`[^a-zA-Z0-9._-]+`).ReplaceAllString(folder, "-")
	if name = strings.Trim(name, "-._"); name == "" {
		return "flows"
	}
	return strings.ToLower(name)
}

// files are the project's, by their paths.
func (c *initCmd) files(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	add := func(name, from string) error {
		b, err := fs.ReadFile(project, "project/"+from)
		files[name] = bytes.ReplaceAll(b, []byte("{{name}}"), []byte(c.Name))
		return err
	}
	if c.Python {
		return files, errors.Join(add("flowlite.yaml", "python.yaml"), add("flows/hello.py", "hello.py"))
	}
	if err := errors.Join(add("flowlite.yaml", "go.yaml"), add("flows/hello.go", "hello.go.txt")); err != nil {
		return nil, err
	}
	if inModule(dir) {
		return files, nil
	}
	mod := "module " + c.Name + "\n\ngo 1.26.0\n"
	checkout, err := filepath.Abs(c.Replace)
	if err != nil {
		return nil, err
	}
	if c.Replace == "" {
		checkout = ownCheckout()
	} else if !isCheckout(checkout) {
		return nil, badUsage("--replace %s is not a checkout of %s", c.Replace, modulePath)
	}
	if checkout != "" {
		mod += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", modulePath, modulePath, checkout)
	} else if v := version(); strings.HasPrefix(v, "v") && !strings.Contains(v, "+dirty") {
		mod += fmt.Sprintf("\nrequire %s %s\n", modulePath, v)
	}
	files["go.mod"] = []byte(mod)
	return files, nil
}

func isCheckout(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && bytes.HasPrefix(b, []byte("module "+modulePath+"\n"))
}

// ownCheckout is where this program was built from, "" for a release: there is
// no version of the module that Go could load for what was built elsewhere.
func ownCheckout() string {
	_, file, _, _ := runtime.Caller(0) //nolint:dogsled // only the file is of interest
	dir := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if release != "" || strings.Contains(dir, "@") || !filepath.IsAbs(dir) || !isCheckout(dir) {
		return ""
	}
	return dir
}

// inModule tells whether a folder above has a go.mod, as Go looks for one.
func inModule(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// tidy lets Go find the versions of all that the flow imports.
func (c *initCmd) tidy(a *app, dir string) error {
	goTool, none := exec.LookPath("go")
	if none != nil {
		a.out.Note("Go is not installed here; flows in Go are built with it: https://go.dev/dl")
		return nil //nolint:nilerr // the project is whole without it
	}
	cmd := exec.CommandContext(a.ctx, goTool, "mod", "tidy")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		return &failure{
			code: exitFailed,
			what: "the files are written, but `go mod tidy` did not find the module " + modulePath,
			why:  strings.TrimSpace(lines[len(lines)-1]),
			hint: "go mod edit -replace " + modulePath + "=FOLDER with a checkout of it, then go mod tidy",
		}
	}
	return nil
}
