package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/account"
	"github.com/flowlite/flowlite/runtime/worker/build"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// DefaultPool is made when it is missing; another pool with Config.MakePool.
const DefaultPool = core.DefaultPool

// Causes of a run's end, as context.Cause tells an in-process flow. Config may
// put others in their place.
var (
	ErrCancelled = errors.New("the run was cancelled")
	ErrLeaseLost = errors.New("another worker has the run")
	ErrStopped   = errors.New("the worker is stopping")
)

// Orchestrator is what a worker needs of a server.
type Orchestrator interface {
	core.FlowRunOrchestrator
	core.LeaseOrchestrator
	core.PoolOrchestrator
	core.DataOrchestrator
}

// Config of a Worker. Orchestrator is required.
type Config struct {
	Orchestrator Orchestrator
	Pool         string   // default: DefaultPool
	MakePool     bool     // create Pool if it is missing
	Name         string   // default: host and process id
	Queues       []string // empty: all
	Limit        int      // runs at once; 0: no limit
	APIURL       string   // empty: only InProcess runs; else what flow processes are told: http://host:port/api, or several with commas
	PrefectURL   string   // an address on this machine that Prefect's engine is told instead, since it knows one server
	AuthString   string
	WorkDir      string // default: the current one
	CacheDir     string // of built binaries; default: flowlite in the user's cache folder
	Log          *slog.Logger
	Builder      *build.Builder // default: one on CacheDir
	NoFork       bool           // each Python run is a process of its own, without a warm parent
	Python       string         // interpreter of Python flows; default: that of their folder
	RunAs        *account.User  // whom the processes of flows belong to; nil: the user of the worker

	// Flows are the names of the flows that InProcess executes.
	Flows []string
	// InProcess may execute a claim itself. The context carries the run's token
	// and ends with CancelCause, LostCause or ErrStopped.
	InProcess   func(ctx context.Context, claim core.Claim) (handled bool, err error)
	CancelCause error // default: ErrCancelled
	LostCause   error // default: ErrLeaseLost

	Grace      time.Duration // between SIGTERM and SIGKILL of a cancelled run; default 30 s
	DrainGrace time.Duration // how long Stop lets runs finish; default 30 s
}

// How often the worker speaks when nothing happens.
const (
	heartbeatEvery = 10 * time.Second
	heartbeatSays  = int64(30)
	renewEvery     = 3 * time.Second
	pollWait       = core.Seconds(30)
	noLimit        = 100 // claims per poll of a worker without a limit
)

// Worker executes the runs of one pool. Start and Stop may be repeated.
type Worker struct {
	cfg    Config
	orch   Orchestrator
	log    *slog.Logger
	holder core.UUID // made anew with each Worker: a restarted one holds nothing
	logs   *shipper
	start  spawner
	forks  python.Forker

	mu          sync.Mutex
	runs        map[core.UUID]*run
	cancelsSeen []core.UUID // cancellations already acted on
	unclaimed   map[core.UUID]bool
	fault       error // why it is not ready
	ready       chan struct{}
	isReady     bool
	beat        time.Time // of the last heartbeat that arrived
	suspect     bool      // a poll failed: a claim may have been lost on the way
	stopping    bool
	freed       chan struct{}

	lackMu  sync.Mutex
	lacking map[core.UUID]time.Time // deployments whose runs cannot be started here, until when

	stopIntake context.CancelFunc
	stopAll    context.CancelCauseFunc
	runCtx     context.Context
	loops      sync.WaitGroup
	running    sync.WaitGroup
}

func New(cfg Config) *Worker {
	if cfg.Pool == "" {
		cfg.Pool = DefaultPool
	}
	if cfg.Name == "" {
		host, _ := os.Hostname()
		cfg.Name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.WorkDir == "" {
		cfg.WorkDir, _ = os.Getwd()
	}
	if cfg.CacheDir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			dir = os.TempDir()
		}
		cfg.CacheDir = filepath.Join(dir, "flowlite")
	}
	if cfg.Builder == nil {
		cfg.Builder = build.New(cfg.CacheDir)
	}
	if cfg.CancelCause == nil {
		cfg.CancelCause = ErrCancelled
	}
	if cfg.LostCause == nil {
		cfg.LostCause = ErrLeaseLost
	}
	if cfg.Grace <= 0 {
		cfg.Grace = 30 * time.Second
	}
	if cfg.DrainGrace <= 0 {
		cfg.DrainGrace = 30 * time.Second
	}
	cfg.Flows = append([]string{}, cfg.Flows...) // nil would be no announcement
	return &Worker{
		cfg: cfg, orch: cfg.Orchestrator, log: cfg.Log.With("worker", cfg.Name, "pool", cfg.Pool),
		holder: core.NewID(), runs: map[core.UUID]*run{}, unclaimed: map[core.UUID]bool{}, lacking: map[core.UUID]time.Time{},
		ready: make(chan struct{}), freed: make(chan struct{}, 1),
	}
}

func (w *Worker) Name() string { return w.cfg.Name }

// Holder is who holds the leases of its runs.
func (w *Worker) Holder() core.UUID { return w.holder }

// Start looks for the pool and begins to take work. A pool that does not exist
// is an error; a server that cannot be reached is not: the worker keeps trying.
func (w *Worker) Start(ctx context.Context) error {
	w.mu.Lock()
	if w.stopIntake != nil {
		w.mu.Unlock()
		return nil
	}
	intake, stopIntake := context.WithCancel(context.WithoutCancel(ctx))
	runCtx, stopAll := context.WithCancelCause(context.WithoutCancel(ctx))
	w.stopIntake, w.stopAll, w.runCtx = stopIntake, stopAll, runCtx
	w.mu.Unlock()

	if err := w.join(ctx); err != nil {
		if !isTransient(err) {
			stopIntake()
			stopAll(nil)
			w.mu.Lock()
			w.stopIntake = nil
			w.mu.Unlock()
			return err
		}
		w.setFault(err)
		w.log.Warn("the server cannot be reached; trying again", "error", err)
	}
	w.open()
	w.loops.Go(func() { w.pollLoop(intake) })
	w.loops.Go(func() { w.heartbeatLoop(intake) })
	// Leases are renewed until the last run has ended, past the end of intake.
	w.loops.Go(func() { w.renewLoop(runCtx) })
	return nil
}

// join makes sure of the pool and says hello.
func (w *Worker) join(ctx context.Context) error {
	pool, err := w.orch.WorkPoolByName(ctx, w.cfg.Pool)
	if core.IsNotFound(err) && (w.cfg.MakePool || w.cfg.Pool == DefaultPool) {
		pool, err = w.orch.CreateWorkPool(
			ctx,
			core.WorkPoolCreate{Name: w.cfg.Pool, Type: core.PoolProcess, BaseJobTemplate: core.ProcessTemplate},
		)
		if core.CodeOf(err) == core.EConflict { // somebody else was quicker
			pool, err = w.orch.WorkPoolByName(ctx, w.cfg.Pool)
		}
	}
	if core.IsNotFound(err) {
		return core.Errorf(core.ENotFound, "there is no work pool %q; create it: %s", w.cfg.Pool,
			core.ShellCommand("flowlite", "work-pool", "create", "--type", core.PoolProcess, w.cfg.Pool))
	}
	if err == nil {
		err = pool.CheckOwnWorkers()
	}
	if err != nil {
		return err
	}
	if err := w.heartbeat(ctx, nil); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.beat = nil, time.Now()
	if !w.isReady {
		w.isReady = true
		close(w.ready)
	}
	return nil
}

// Ready is closed once the pool knows this worker.
func (w *Worker) Ready() <-chan struct{} { return w.ready }

// Fault is why the worker cannot take work just now; nil when it can.
func (w *Worker) Fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

// Running is how many runs it has.
func (w *Worker) Running() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.runs)
}

func (w *Worker) setFault(err error) {
	w.mu.Lock()
	w.fault = err
	w.mu.Unlock()
}

// StopIntake ends polling; what runs goes on. Stop does it too.
func (w *Worker) StopIntake() {
	w.mu.Lock()
	stop := w.stopIntake
	w.stopping = true
	w.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// Stop takes no more work and waits for the runs until DrainGrace or ctx is
// over. Runs that are left are killed and handed back, to resume elsewhere or
// at the next start.
func (w *Worker) Stop(ctx context.Context) error {
	w.mu.Lock()
	started := w.stopIntake != nil
	w.mu.Unlock()
	if !started {
		return nil
	}
	w.StopIntake()
	done := make(chan struct{})
	go func() { w.running.Wait(); close(done) }()
	if n := w.Running(); n > 0 {
		w.log.Info("waiting for runs to finish", "runs", n, "grace", w.cfg.DrainGrace)
	}
	grace := time.NewTimer(w.cfg.DrainGrace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
	case <-ctx.Done():
	}
	w.stopAll(ErrStopped)
	w.running.Wait()
	w.loops.Wait()
	w.leave(ctx)
	w.closeParts()
	return nil
}

// leave tells the server that the worker ends, so that it is not shown as
// online until its heartbeats are missed. A server that is away finds that out.
func (w *Worker) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	w.mu.Lock()
	after := core.Seconds(time.Since(w.beat).Seconds())
	w.mu.Unlock()
	if err := w.heartbeat(ctx, &after); err != nil {
		w.log.Debug("the server was not told of the worker's end", "error", err)
	}
}

// heartbeat is the last one if it says how long after the one before it comes.
func (w *Worker) heartbeat(ctx context.Context, lastAfter *core.Seconds) error {
	every := heartbeatSays
	return w.orch.Heartbeat(ctx, w.cfg.Pool, core.WorkerHeartbeat{Name: w.cfg.Name, HeartbeatIntervalSeconds: &every,
		LastAfter: lastAfter, Flows: w.cfg.Flows})
}

// open readies what starts processes and ships their output.
func (w *Worker) open() {
	w.start.open()
	w.forks.Start, w.forks.Log, w.forks.As = w.start.do, w.log, w.cfg.RunAs
	w.logs = newShipper(w.orch, w.log)
}

func (w *Worker) closeParts() {
	w.logs.close()
	w.forks.Close()
	w.start.close()
}

// isTransient tells a server that cannot be reached now from one that says no.
func isTransient(err error) bool {
	switch core.CodeOf(err) {
	case core.EUnavailable, core.EInternal:
		return true
	}
	return false
}
