package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

// FlowsReport is what one look at the flows folder found and did.
type FlowsReport struct {
	Dir         string
	Missing     bool             // there is no such folder
	Deployments []DeployedFlow   // everything that is declared there now
	Gone        []string         // deployed earlier, declared no longer; left as they are
	Hints       []string         // news of what keeps flows from being deployed that is no fault of theirs
	Problems    map[string]error // by package folder, relative: what could not be built or deployed
}

// DeployedFlow is one deployment of the folder.
type DeployedFlow struct {
	Name       string // flow/deployment
	Entrypoint string
	Changed    bool // created or updated by this look
}

// Labels that tie a deployment to the folder it came from.
const (
	labelSource     = "flowlite.source"     // the flows folder
	labelDefinition = "flowlite.definition" // hash of what the source declares
)

// flowsStore reads what is deployed.
type flowsStore interface {
	DeploymentByName(ctx context.Context, flowName, name string) (*core.Deployment, error)
	Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error)
}

// flows deploys what a folder holds.
type flows struct {
	dir  string // absolute
	work string // entrypoints are relative to it
	// portable: work is the worker's own working directory, so a worker
	// elsewhere finds the entrypoints in its own.
	portable bool
	service  *local.Service
	store    flowsStore
	build    *build.Builder
	python   pythonFlows
}

// deploy looks once. Packages that cannot be built do not keep the others
// from being deployed.
func (f *flows) deploy(ctx context.Context) FlowsReport {
	report := FlowsReport{Dir: f.dir, Problems: map[string]error{}}
	packages, err := build.Find(f.dir)
	if core.IsNotFound(err) {
		report.Missing = true
		return report
	}
	if err != nil {
		report.Problems[f.rel(f.dir)] = err
		return report
	}
	look := make(chan pythonLook, 1)
	go func() { look <- f.python.look(ctx, f.dir, f.work) }()
	for _, pkg := range packages {
		deployed, err := f.deployPackage(ctx, pkg)
		report.Deployments = append(report.Deployments, deployed...)
		if err != nil {
			report.Problems[f.rel(pkg.Dir)] = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	py := <-look
	if ctx.Err() != nil {
		return report
	}
	f.deployPython(ctx, py, &report)
	if len(report.Problems) == 0 && py.missing == "" { // else it may be declared in what does not build now
		report.Gone, err = f.gone(ctx, report.Deployments)
		if err != nil {
			report.Problems[f.rel(f.dir)] = err
		}
	}
	return report
}

func (f *flows) rel(p string) string { return relTo(f.work, p) }

func (f *flows) deployPackage(ctx context.Context, pkg *build.Package) (out []DeployedFlow, err error) {
	binary, _, err := f.build.Package(ctx, pkg)
	if err != nil {
		return nil, err
	}
	if err := f.python.as.Share(f.python.cacheDir, binary); err != nil {
		return nil, err
	}
	registry, err := build.Describe(ctx, binary, f.python.as)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, d := range registry.Flows {
		entrypoint := f.entrypoint(pkg, d)
		declared := d.Deployments
		if len(declared) == 0 {
			declared = []core.DeploymentCreate{{Name: "local"}}
		}
		for _, c := range declared {
			changed, err := f.register(ctx, d, c, entrypoint)
			if err != nil {
				all = append(all, fmt.Errorf("%s/%s: %w", d.Name, c.Name, err))
				continue
			}
			out = append(out, DeployedFlow{Name: d.Name + "/" + c.Name, Entrypoint: entrypoint, Changed: changed})
		}
	}
	return out, errors.Join(all...)
}

// entrypoint finds the file that declares what the binary calls by variable or
// flow name.
func (f *flows) entrypoint(pkg *build.Package, d build.Description) string {
	dir := f.rel(pkg.Dir)
	for _, fl := range pkg.Flows {
		if fl.Name == d.Entrypoint || fl.FlowName == d.Entrypoint {
			return dir + "/" + fl.File + ":" + d.Entrypoint
		}
	}
	for _, fl := range pkg.Flows {
		if fl.FlowName == d.Name {
			return dir + "/" + fl.File + ":" + d.Entrypoint
		}
	}
	return dir + "/main.go:" + d.Entrypoint
}

// register deploys one declaration. What is unchanged in the source is not
// touched, so that parameters edited in the UI stay so; what the source does
// not say keeps what is stored.
func (f *flows) register(ctx context.Context, d build.Description, c core.DeploymentCreate, entrypoint string) (changed bool, err error) {
	c.OwnCode(entrypoint)
	if !f.portable {
		c.Path = core.Some(f.work)
	}
	if !c.ParameterOpenAPISchema.Set && !d.Schema.IsNull() {
		c.ParameterOpenAPISchema = core.Some(d.Schema)
	}
	if !c.Description.Set && d.Description != "" {
		c.Description = core.Some(d.Description)
	}
	if !c.Version.Set && d.Version != "" {
		c.Version = core.Some(d.Version)
	}
	labels := map[string]any{}
	if c.Labels.Set {
		labels = c.Labels.V.Map()
	}
	labels[labelSource] = f.dir
	labels[labelDefinition] = core.NameID(string(core.ToJSON(c))).String()
	c.Labels = core.Some(core.ToJSON(labels))

	old, err := f.store.DeploymentByName(ctx, d.Name, c.Name)
	if err == nil && old.Labels.Map()[labelDefinition] == labels[labelDefinition] {
		return false, nil
	}
	if err != nil && !core.IsNotFound(err) {
		return false, err
	}
	flow, err := f.service.CreateFlow(ctx, core.FlowCreate{Name: d.Name})
	if err != nil {
		return false, err
	}
	c.FlowID = flow.ID
	if c.WorkPoolName.Or("") == "" && (old == nil || old.WorkPoolName == nil) {
		c.WorkPoolName = core.Some(worker.DefaultPool)
	}
	_, err = f.service.CreateDeployment(ctx, c)
	return err == nil, err
}

// gone are deployments of this folder that it declares no longer. They are
// left alone: somebody may only have renamed a file.
func (f *flows) gone(ctx context.Context, now []DeployedFlow) ([]string, error) {
	declared := map[string]bool{}
	for _, d := range now {
		declared[d.Name] = true
	}
	var names []string
	for offset := 0; ; offset += core.MaxLimit {
		page, err := f.store.Deployments(ctx, core.Filters{}, core.Page{Limit: core.MaxLimit, Offset: offset})
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			if d.Labels.Map()[labelSource] == f.dir && !declared[d.FullName()] {
				names = append(names, d.FullName())
			}
		}
		if len(page) < core.MaxLimit {
			break
		}
	}
	slices.Sort(names)
	return names, nil
}

// workDirOf is what entrypoints are relative to: the current folder where the
// flows lie below it, else the flows folder's parent.
func workDirOf(work, dir string) string {
	if rel, err := filepath.Rel(work, dir); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(os.PathSeparator)) {
		return work
	}
	return filepath.Dir(dir)
}
