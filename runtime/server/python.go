package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/account"
	"github.com/flowlite/flowlite/runtime/worker/build"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// pythonFlows remembers what the interpreters said of the Python files, since
// asking one takes a second.
type pythonFlows struct {
	interpreter string // the one that was asked for, if any
	cacheDir    string
	as          *account.User // who imports the files
	seen        string        // files and interpreters of the last answer
	last        pythonLook
	told        string // the last word on a missing Prefect: it is said once
}

// pythonLook is what one look at the Python files found.
type pythonLook struct {
	flows    []python.Flow // files relative to the working directory
	problems map[string]error
	missing  string // why no flow could be read: there is no Prefect here
}

// look finds the Python flows below dir. Without a Python file that seems to
// hold flows, no interpreter is looked for.
func (p *pythonFlows) look(ctx context.Context, dir, work string) pythonLook {
	look := pythonLook{problems: map[string]error{}}
	files, err := python.Find(dir, build.Ignored)
	if err != nil || len(files) == 0 {
		return look
	}
	groups, order, err := p.interpreters(files, work)
	if err != nil {
		look.missing = fmt.Sprintf("Python flows were found (%s), but %s", some(files, work), err)
		return look
	}
	seen := stampsOf(dir, order)
	if seen == p.seen {
		return p.last
	}
	runner, err := python.Runner(p.cacheDir)
	if err == nil {
		err = p.as.Share(p.cacheDir, runner)
	}
	if err != nil {
		look.problems[relTo(work, dir)] = err
		return look
	}
	for _, interpreter := range order {
		list := groups[interpreter]
		flows, failed, err := python.Describe(ctx, interpreter, runner, work, list, p.as)
		if err != nil {
			look.missing = fmt.Sprintf("Python flows were found (%s), but %s", some(list, work), err)
			continue
		}
		for _, f := range failed {
			look.problems[relTo(work, f.File)] = errors.New(f.Error)
		}
		for _, f := range flows {
			f.File = relTo(work, f.File)
			if f.Error != "" {
				look.problems[f.File+":"+f.Function] = errors.New(f.Error)
				continue
			}
			look.flows = append(look.flows, f)
		}
	}
	if ctx.Err() == nil && look.missing == "" {
		p.seen, p.last = seen, look
	}
	return look
}

// interpreters groups the files by the interpreter that their folder wants.
func (p *pythonFlows) interpreters(files []string, work string) (groups map[string][]string, order []string, err error) {
	groups = map[string][]string{}
	for _, file := range files {
		interpreter, err := python.Interpreter(filepath.Dir(file), work, p.interpreter)
		if err != nil {
			return nil, nil, err
		}
		if groups[interpreter] == nil {
			order = append(order, interpreter)
		}
		groups[interpreter] = append(groups[interpreter], file)
	}
	return groups, order, nil
}

// stampsOf tells when to ask again: a flow's parameters may have their types
// from any file beside it.
func stampsOf(dir string, interpreters []string) string {
	var s strings.Builder
	_ = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what cannot be read cannot be described either
		}
		if d.IsDir() && p != dir && build.Ignored(d.Name()) {
			return filepath.SkipDir
		}
		if strings.EqualFold(filepath.Ext(p), ".py") {
			if info, err := d.Info(); err == nil {
				fmt.Fprintf(&s, "%s %d %d\n", p, info.Size(), info.ModTime().UnixNano())
			}
		}
		return nil
	})
	return s.String() + strings.Join(interpreters, "\n")
}

func some(files []string, work string) string {
	var names []string
	for _, f := range files {
		names = append(names, relTo(work, f))
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return strings.Join(names, ", ")
}

func relTo(work, p string) string {
	if r, err := filepath.Rel(work, p); err == nil {
		return filepath.ToSlash(r)
	}
	return p
}

// deployPython registers what a look found. by says which name is taken by what.
func (f *flows) deployPython(ctx context.Context, look pythonLook, report *FlowsReport) {
	by := map[string]string{}
	for _, d := range report.Deployments {
		by[d.Name] = d.Entrypoint
	}
	for _, fl := range look.flows {
		entrypoint := fl.File + ":" + fl.Function
		name := fl.Name + "/local"
		if other := by[name]; other != "" {
			report.Problems[entrypoint] = fmt.Errorf("%s is declared by %s already; give one of the two flows another name", name, other)
			continue
		}
		by[name] = entrypoint
		d := build.Description{Entrypoint: fl.Function, Name: fl.Name, Description: fl.Description, Version: fl.Version, Schema: fl.Schema}
		changed, err := f.register(ctx, d, core.DeploymentCreate{Name: "local"}, entrypoint)
		if err != nil {
			report.Problems[entrypoint] = fmt.Errorf("%s: %w", name, err)
			continue
		}
		report.Deployments = append(report.Deployments, DeployedFlow{Name: name, Entrypoint: entrypoint, Changed: changed})
	}
	maps.Copy(report.Problems, look.problems)
	if look.missing != "" && look.missing != f.python.told {
		report.Hints = append(report.Hints, look.missing)
	}
	f.python.told = look.missing
}
