package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/worker/build"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// describer finds the flow of an entrypoint without running its code.
type describer struct {
	a      *app
	cache  string // folder of what is built for flows
	python string // interpreter that was asked for
}

// describe builds the entrypoint and finds its flow in the binary's registry.
func (x *describer) describe(e build.Entrypoint) (d build.Description, err error) {
	if err = e.Check(); err != nil {
		return d, err
	}
	if e.Kind() == build.Python {
		return x.describePython(e)
	}
	bin, _, err := build.New(x.cache).Build(x.a.ctx, e)
	if err != nil {
		return d, err
	}
	reg, err := build.Describe(x.a.ctx, bin, nil)
	if err != nil {
		return d, err
	}
	var known []string
	for _, f := range reg.Flows {
		if f.Entrypoint == e.Name || f.Name == e.Name {
			return f, nil
		}
		known = append(known, f.Entrypoint)
	}
	return d, noFlow(e, known, "a flow is an exported variable made by flowlite.NewFlow")
}

func noFlow(e build.Entrypoint, known []string, hint string) error {
	if len(known) > 0 {
		hint = "it has " + strings.Join(known, ", ")
	}
	if n := nearest(e.Name, known); n != "" {
		hint = "did you mean " + e.Path + ":" + n + "?"
	}
	return &failure{code: exitNotFound, what: fmt.Sprintf("no flow %s in %s", e.Name, e.Path), hint: hint}
}

// describePython reads the file with the interpreter that will run it.
func (x *describer) describePython(e build.Entrypoint) (d build.Description, err error) {
	interpreter, err := python.Interpreter(filepath.Dir(e.File()), e.Dir, x.python)
	if err != nil {
		return d, err
	}
	runner, err := python.Runner(x.cache)
	if err != nil {
		return d, err
	}
	flows, failed, err := python.Describe(x.a.ctx, interpreter, runner, e.Dir, []string{e.File()}, nil)
	if err != nil {
		return d, err
	}
	if len(failed) > 0 {
		return d, &failure{code: exitFailed, what: "cannot read " + e.Path, why: failed[0].Error}
	}
	var known []string
	for _, f := range flows {
		if f.Function == e.Name || f.Name == e.Name {
			if f.Error != "" {
				return d, &failure{code: exitFailed, what: "cannot deploy " + e.String(), why: f.Error}
			}
			return build.Description{Entrypoint: f.Function, Name: f.Name, Description: f.Description, Version: f.Version, Schema: f.Schema}, nil
		}
		known = append(known, f.Function)
	}
	return d, noFlow(e, known, "a flow is a function of the file with Prefect's @flow")
}

// newDescriber looks for the interpreter in the job variables and the environment.
func newDescriber(a *app, folder string, vars map[string]any) *describer {
	if folder == "" {
		folder = home()
	}
	x := &describer{a: a, cache: filepath.Join(folder, "cache"), python: os.Getenv("FLOWLITE_PYTHON")}
	if p, ok := vars["python"].(string); ok {
		x.python = p
	}
	return x
}
