package server

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

// settle is how long the folder must be quiet before it is looked at again: an
// editor writes a file in several steps.
const settle = 150 * time.Millisecond

// startFlows deploys the folder and watches it, all in the background: builds
// must not hold up the start.
func (s *Server) startFlows(ctx context.Context) {
	if s.cfg.FlowsDir == "" {
		return
	}
	dir := s.cfg.FlowsDir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.cfg.WorkDir, dir)
	}
	dir = filepath.Clean(dir)
	work := workDirOf(s.cfg.WorkDir, dir)
	f := &flows{dir: dir, work: work, portable: work == s.cfg.WorkDir, service: s.service, store: s.store, build: s.builder(),
		python: pythonFlows{interpreter: s.cfg.Python, cacheDir: s.cacheDir(), as: s.runAs}}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); s.watchFlows(ctx, f) }()
	s.later(func(context.Context) error { stop(); <-done; return nil })
}

func (s *Server) watchFlows(ctx context.Context, f *flows) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		s.cfg.Log.Warn("the flows folder cannot be watched; start again after changes", "error", err)
		s.lookAtFlows(ctx, f)
		return
	}
	defer w.Close()
	watchTree(w, f.dir) // before the first look, so that no change falls between
	s.lookAtFlows(ctx, f)
	quiet := time.NewTimer(0)
	<-quiet.C
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.Events:
			if relevant(e, f.dir) {
				quiet.Reset(settle)
			}
		case err := <-w.Errors: // events were lost: look again
			s.cfg.Log.Debug("flows folder", "error", err)
			quiet.Reset(settle)
		case <-quiet.C:
			watchTree(w, f.dir) // new folders
			s.lookAtFlows(ctx, f)
		}
	}
}

// relevant leaves out files that cannot change a flow, such as an editor's own.
func relevant(e fsnotify.Event, dir string) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	name := filepath.Base(e.Name)
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
		return false
	}
	if e.Name != dir && !strings.HasPrefix(e.Name, dir+string(filepath.Separator)) {
		return name == "go.mod" || name == "go.sum"
	}
	ext := filepath.Ext(name)
	return ext == "" || ext == ".go" || !slices.Contains([]string{".swp", ".swx", ".tmp", ".log", ".pyc"}, ext)
}

// watchTree watches the folder and those below it, or its parent until it is
// there; the parent also shows changes of go.mod.
func watchTree(w *fsnotify.Watcher, dir string) {
	_ = w.Add(filepath.Dir(dir))
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case !d.IsDir():
			return nil
		case p != dir && build.Ignored(d.Name()):
			return fs.SkipDir
		}
		_ = w.Add(p)
		return nil
	})
}

// lookAtFlows deploys what has changed, and tells the pages how that goes.
func (s *Server) lookAtFlows(ctx context.Context, f *flows) {
	folder := func(rel string) string {
		if rel == "." {
			return f.dir
		}
		return rel
	}
	now := core.FlowsFacts{Dir: folder(f.rel(f.dir)), Looking: true}
	if before := s.flows.Load(); before != nil {
		now.Problems, now.Hints = before.Problems, before.Hints
	}
	s.flows.Store(&now)
	r := f.deploy(ctx)
	found := &core.FlowsFacts{Dir: now.Dir, Hints: r.Hints}
	for where, err := range r.Problems {
		found.Problems = append(found.Problems, core.FlowsProblem{Where: folder(where), Text: problemText(err)})
	}
	slices.SortFunc(found.Problems, func(a, b core.FlowsProblem) int { return strings.Compare(a.Where, b.Where) })
	s.flows.Store(found)
	s.report(r)
}

func problemText(err error) string {
	if e, ok := errors.AsType[*build.Error](err); ok {
		return e.Output
	}
	return err.Error()
}

// report says what a look found; OnFlows may say it in another way.
func (s *Server) report(r FlowsReport) {
	if s.cfg.OnFlows != nil {
		s.cfg.OnFlows(r)
		return
	}
	log := s.cfg.Log.With("flows", r.Dir)
	if r.Missing {
		log.Info("there is no flows folder; flows put there will be deployed")
		return
	}
	for _, d := range r.Deployments {
		if d.Changed {
			log.Info("deployed", "deployment", d.Name, "entrypoint", d.Entrypoint)
		}
	}
	for _, g := range r.Gone {
		log.Warn(
			"a deployment is declared no longer; it is left as it is",
			"deployment",
			g,
			"delete",
			core.ShellCommand("flowlite", "deployment", "delete", g),
		)
	}
	for _, h := range r.Hints {
		log.Warn(h)
	}
	for pkg, err := range r.Problems {
		log.Error("not deployed", "package", pkg, "error", problemText(err))
	}
}
