package python

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// parent is one warm interpreter.
type parent struct {
	f    *Forker
	key  string
	cmd  *exec.Cmd
	conn *net.UnixConn
	errs *lastLines

	ready chan struct{} // closed when it can fork, or never will
	gone  chan struct{} // closed when the process has ended

	mu       sync.Mutex
	err      error // why it cannot fork
	stamps   []stamp
	next     int
	waiting  map[int]chan answer
	children map[int]*Child
	retired  bool
	idle     *time.Timer
	used     time.Time
}

type answer struct {
	Ready    bool   `json:"ready"`
	Threads  int    `json:"threads"`
	Packages string `json:"packages"`
	ID       int    `json:"id"`
	PID      int    `json:"pid"`
	Status   *int   `json:"status"`
	Error    string `json:"error"`

	child *Child // of this answer
}

// stamp tells whether what the parent has imported may have changed.
type stamp struct {
	path string
	time time.Time
}

func stampOf(path string) stamp {
	st, err := os.Stat(path)
	if err != nil {
		return stamp{path: path}
	}
	return stamp{path, st.ModTime()}
}

// Fork starts a run as a child of the warm parent that suits it. ErrNoFork
// where that cannot be; any other error is the run's.
func (f *Forker) Fork(ctx context.Context, r Request) (*Child, error) {
	for {
		p, err := f.parentOf(r)
		if err != nil {
			return nil, err
		}
		select {
		case <-p.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		c, again, err := p.fork(r)
		if !again {
			return c, err
		}
	}
}

// parentOf finds the parent or starts it.
func (f *Forker) parentOf(r Request) (*parent, error) {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{r.Interpreter, r.ParentDir}, r.Env...), "\x00")))
	key := string(sum[:])
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrNoFork
	}
	if p := f.parents[key]; p != nil {
		return p, nil
	}
	if f.parents == nil {
		f.parents = map[string]*parent{}
	}
	f.makeRoom()
	p := &parent{
		f:        f,
		key:      key,
		ready:    make(chan struct{}),
		gone:     make(chan struct{}),
		waiting:  map[int]chan answer{},
		children: map[int]*Child{},
		errs:     &lastLines{},
		used:     time.Now(),
	}
	if err := p.start(r); err != nil {
		return nil, err
	}
	f.parents[key] = p
	return p, nil
}

// makeRoom ends the parent that was idle for longest; busy ones may be more.
func (f *Forker) makeRoom() {
	var oldest *parent
	if len(f.parents) < maxParents {
		return
	}
	for _, p := range f.parents {
		p.mu.Lock()
		if len(p.children) == 0 && (oldest == nil || p.used.Before(oldest.used)) {
			oldest = p
		}
		p.mu.Unlock()
	}
	if oldest != nil {
		delete(f.parents, oldest.key)
		oldest.retire()
	}
}

func (p *parent) start(r Request) error {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return ErrNoFork
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "warm parent"), os.NewFile(uintptr(fds[1]), "worker")
	defer ours.Close()
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return ErrNoFork
	}
	p.conn = conn.(*net.UnixConn)
	p.cmd = exec.Command(r.Interpreter, r.Runner, "serve")
	p.cmd.Dir, p.cmd.Env = r.ParentDir, r.Env
	p.cmd.ExtraFiles = []*os.File{theirs}
	p.cmd.Stderr, p.cmd.Stdout = p.errs, p.errs
	p.cmd.SysProcAttr = p.f.As.Start(&syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL})
	p.cmd.WaitDelay = time.Second
	for _, path := range []string{"prefect.toml", "pyproject.toml", ".env"} {
		p.stamps = append(p.stamps, stampOf(r.ParentDir+"/"+path))
	}
	p.stamps = append(p.stamps, stampOf(profiles(r.Env)), stampOf(r.Interpreter))
	if err := p.f.Start(p.cmd.Start); err != nil {
		p.conn.Close()
		return core.Errorf(core.EInvalid, "could not start %s: %w", r.Interpreter, err)
	}
	p.f.Log.Info("warm Python parent started", "interpreter", r.Interpreter, "pid", p.cmd.Process.Pid, "dir", r.ParentDir)
	go p.listen()
	return nil
}

// profiles is the file of Prefect's settings.
func profiles(env []string) string {
	home, prefect := "", ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PREFECT_HOME="); ok {
			prefect = v
		} else if v, ok := strings.CutPrefix(kv, "HOME="); ok {
			home = v
		}
	}
	if prefect == "" {
		prefect = home + "/.prefect"
	}
	return prefect + "/profiles.toml"
}

// listen takes the parent's answers until it is gone.
func (p *parent) listen() {
	buf := make([]byte, 64<<10)
	for {
		n, err := p.conn.Read(buf)
		if err != nil || n == 0 {
			break
		}
		var a answer
		if json.Unmarshal(buf[:n], &a) == nil {
			p.take(a)
		}
	}
	p.mu.Lock()
	hopeless := p.err == ErrNoFork //nolint:errorlint // never wrapped
	p.mu.Unlock()
	if !hopeless { // else it is kept, so that nobody tries again
		p.forget()
	}
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGKILL)
	err := p.cmd.Wait()
	p.mu.Lock()
	if p.err == nil {
		fault := core.Errorf(core.EInvalid, "the interpreter %s ended (%v): %s", p.cmd.Path, err, p.errs.text())
		if p.cmd.ProcessState.ExitCode() == NoPrefectExit {
			fault.Err = ErrNoPrefect
		}
		p.err = fault
	}
	for _, c := range p.children {
		c.err = p.err
		close(c.Done)
	}
	p.children = map[int]*Child{}
	for _, w := range p.waiting {
		close(w)
	}
	p.waiting = map[int]chan answer{}
	p.open()
	p.mu.Unlock()
	close(p.gone)
}

func (p *parent) open() {
	select {
	case <-p.ready:
	default:
		close(p.ready)
	}
}

func (p *parent) take(a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case a.Ready && a.Threads != 1:
		p.err = ErrNoFork
		p.open()
		_ = p.conn.Close()
	case a.Ready:
		p.stamps = append(p.stamps, stampOf(a.Packages))
		p.open()
	case a.ID == 0:
		p.err = &core.Error{Code: core.EInvalid, Message: a.Error, Err: ErrNoPrefect}
		p.open()
	case a.Status != nil:
		if c := p.children[a.ID]; c != nil {
			c.status = syscall.WaitStatus(*a.Status)
			delete(p.children, a.ID)
			close(c.Done)
			p.rest()
		}
	default:
		if w := p.waiting[a.ID]; w != nil {
			if a.PID > 0 {
				a.child = &Child{PID: a.PID, Done: make(chan struct{})}
				p.children[a.ID] = a.child
			}
			w <- a
		}
	}
}

// rest begins the idle time after the last child. The parent is locked.
func (p *parent) rest() {
	p.used = time.Now()
	if len(p.children)+len(p.waiting) > 0 {
		return
	}
	if p.retired {
		_ = p.conn.Close()
		return
	}
	idle := p.f.Idle
	if idle <= 0 {
		idle = DefaultIdle
	}
	if p.idle != nil {
		p.idle.Stop()
	}
	p.idle = time.AfterFunc(idle, func() { p.forget(); p.retire() })
}

func (p *parent) fork(r Request) (c *Child, again bool, err error) {
	own := map[string]string{}
	for _, kv := range r.Own {
		k, v, _ := strings.Cut(kv, "=")
		own[k] = v
	}
	p.mu.Lock()
	if p.err != nil {
		defer p.mu.Unlock()
		if p.err != ErrNoFork { //nolint:errorlint // never wrapped; the process has ended, and the next run may find another state of things
			go p.forget()
		}
		return nil, false, p.err
	}
	if p.retired || p.stale() {
		p.mu.Unlock()
		p.forget()
		p.retire()
		return nil, true, nil
	}
	p.next++
	id, w := p.next, make(chan answer, 1)
	p.waiting[id] = w
	if p.idle != nil {
		p.idle.Stop()
	}
	p.mu.Unlock()
	message, err := json.Marshal(map[string]any{"id": id, "dir": r.Dir, "env": own})
	if err == nil {
		fds := []int{int(r.Stdout.Fd()), int(r.Stderr.Fd())}
		if r.Logs != nil {
			fds = append(fds, int(r.Logs.Fd()))
		}
		_, _, err = p.conn.WriteMsgUnix(message, syscall.UnixRights(fds...), nil)
	}
	var a answer
	if err == nil {
		var ok bool
		if a, ok = <-w; !ok {
			err = errors.New("its parent ended")
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
	p.rest()                   // it may have ended already,
	if c = a.child; c == nil { // and is a child all the same
		if err == nil {
			err = fmt.Errorf("%s", a.Error)
		}
		return nil, false, core.Errorf(core.EUnavailable, "could not fork: %w", err)
	}
	return c, false, nil
}

// stale says whether packages or settings have changed since it began.
func (p *parent) stale() bool {
	for _, s := range p.stamps {
		if !stampOf(s.path).time.Equal(s.time) {
			return true
		}
	}
	return false
}

// forget lets the next run have another parent.
func (p *parent) forget() {
	p.f.mu.Lock()
	if p.f.parents[p.key] == p {
		delete(p.f.parents, p.key)
	}
	p.f.mu.Unlock()
}

// retire ends it after its last child.
func (p *parent) retire() {
	p.mu.Lock()
	p.retired = true
	if len(p.children)+len(p.waiting) == 0 {
		_ = p.conn.Close()
	}
	p.mu.Unlock()
}

// Close ends all parents and waits for them. Their children end with them.
func (f *Forker) Close() {
	f.mu.Lock()
	f.closed = true
	var all []*parent
	for _, p := range f.parents {
		all = append(all, p)
	}
	f.mu.Unlock()
	for _, p := range all {
		p.mu.Lock()
		if p.idle != nil {
			p.idle.Stop()
		}
		p.retired = true
		_ = p.conn.Close()
		p.mu.Unlock()
		<-p.gone
	}
}

// Parents is how many there are.
func (f *Forker) Parents() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.parents)
}

// lastLines keeps the end of what a parent prints.
type lastLines struct {
	mu  sync.Mutex
	end []byte
}

func (l *lastLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = append(l.end, b...)
	if n := len(l.end) - 2000; n > 0 {
		l.end = append(l.end[:0], l.end[n:]...)
	}
	return len(b), nil
}

func (l *lastLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(l.end)), "\n")
	return lines[len(lines)-1]
}
