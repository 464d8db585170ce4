package chaostest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/core"
)

// fixture is every process of the test, and the network between them.
type fixture struct {
	t     *testing.T
	dir   string
	chain string // the flow binary
	store core.Store

	postgres, redis *process
	servers         []*process
	workers         []*process
	apis            []string         // of the servers, each through its proxy
	toPostgres      []*bustest.Proxy // a server's own
	toRedis         []*bustest.Proxy
	toServer        []*bustest.Proxy
	answers         *answers

	thread chan func() // starts all processes
}

const key = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="

// tools are the programs that the test cannot do without; it returns those missing.
func tools() (missing []string) {
	if postgresBin() == "" {
		missing = append(missing, "PostgreSQL")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		missing = append(missing, "redis-server")
	}
	return missing
}

func postgresBin() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if at, err := exec.LookPath("initdb"); err == nil {
		found = append(found, at)
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	w := &fixture{t: t, answers: &answers{}, thread: make(chan func())}
	w.folder()
	go func() { // a child that shall end with its parent ends with the thread that made it
		runtime.LockOSThread()
		for start := range w.thread {
			start()
		}
	}()
	bin := w.build("flowlite", "github.com/flowlite/flowlite/cmd/flowlite")
	w.chain = w.build("chain", "./testdata/chain")
	database := w.startPostgres()
	redis := w.startRedis()
	store, err := db.Open(context.Background(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	for i := range servers {
		w.addServer(i, bin, database, redis)
	}
	for _, s := range w.servers {
		s.start()
	}
	for i := range w.servers {
		w.soon(time.Minute, "server "+strconv.Itoa(i)+" answers", func() bool { return w.ready(i) })
	}
	return w
}

func (w *fixture) folder() {
	dir := *chaosKeep
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "flowlite-chaos") // another user's Postgres must get through
		w.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	} else {
		dir, err = filepath.Abs(dir)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, "effects"), 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.dir = dir
}

func (w *fixture) build(name, pkg string) string {
	w.t.Helper()
	bin := filepath.Join(w.dir, name)
	if out, err := exec.Command("go", "build", "-o", bin, pkg).CombinedOutput(); err != nil {
		w.t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return bin
}

func (w *fixture) startPostgres() string {
	w.t.Helper()
	data, bin, port := filepath.Join(w.dir, "postgres"), postgresBin(), bustest.FreePort(w.t)
	w.postgres = w.process("postgres", filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-h", "127.0.0.1", "-k", "", "-F", "-c", "max_connections=200")
	w.postgres.stop = syscall.SIGQUIT // that is its immediate shutdown
	if err := os.MkdirAll(data, 0o700); err != nil {
		w.t.Fatal(err)
	}
	if os.Geteuid() == 0 { // it refuses to be run by root
		u, err := user.Lookup("postgres")
		if err != nil {
			w.t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(data, uid, gid); err != nil {
			w.t.Fatal(err)
		}
		w.postgres.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "flowlite", "-A", "trust", "-N", "-E", "UTF8", "--no-locale")
	initdb.Dir, initdb.SysProcAttr = w.dir, &syscall.SysProcAttr{Credential: w.postgres.as}
	if out, err := initdb.CombinedOutput(); err != nil {
		w.t.Fatalf("initdb: %v\n%s", err, out)
	}
	w.postgres.start()
	w.listens("127.0.0.1:" + port)
	return "postgres://flowlite@127.0.0.1:" + port + "/postgres?sslmode=disable"
}

func (w *fixture) startRedis() string {
	w.t.Helper()
	port := bustest.FreePort(w.t)
	w.redis = w.process("redis", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", w.dir)
	w.redis.at = "127.0.0.1:" + port
	w.redis.start()
	w.listens(w.redis.at)
	return "redis://" + w.redis.at
}

func (w *fixture) addServer(i int, bin, database, redis string) {
	w.t.Helper()
	port := bustest.FreePort(w.t)
	viaPostgres, p := bustest.Through(w.t, database)
	viaRedis, r := bustest.Through(w.t, redis)
	a := bustest.NewProxy(w.t, "127.0.0.1:"+port)
	a.Watch(w.answers.read)
	w.toPostgres, w.toRedis, w.toServer = append(w.toPostgres, p), append(w.toRedis, r), append(w.toServer, a)
	w.apis = append(w.apis, "http://"+a.Addr()+"/api")
	s := w.process("server-"+strconv.Itoa(i), bin, "server", "start", "--port", port, "--database", viaPostgres, "--redis", viaRedis)
	s.env = append(s.env, "FLOWLITE_ENCRYPTION_KEY="+key)
	w.servers = append(w.servers, s)
}

// addWorkers comes after the pool is made. Each worker knows all servers and
// begins with another one.
func (w *fixture) addWorkers(pool string) {
	for i := range workers {
		urls := append(slices.Clone(w.apis[i%servers:]), w.apis[:i%servers]...)
		p := w.process("worker-"+strconv.Itoa(i), filepath.Join(w.dir, "flowlite"), "worker", "start", "--pool", pool,
			"--name", "worker-"+strconv.Itoa(i), "--limit", "4", "--api", strings.Join(urls, ","))
		w.workers = append(w.workers, p)
		p.start()
	}
}

func (w *fixture) ready(i int) bool {
	res, err := (&http.Client{Timeout: 2 * time.Second}).Get(w.apis[i] + "/health")
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (w *fixture) listens(addr string) {
	w.t.Helper()
	w.soon(time.Minute, addr+" listens", func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// soon only bounds a failure by its limit.
func (w *fixture) soon(limit time.Duration, what string, yes func() bool) {
	w.t.Helper()
	if !within(limit, yes) {
		w.t.Fatalf("not within %s: %s\n%s", limit, what, w.tails())
	}
}

func within(limit time.Duration, yes func() bool) bool {
	deadline, tick := time.After(limit), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

func (w *fixture) processes() []*process {
	return append(append([]*process{w.postgres, w.redis}, w.servers...), w.workers...)
}

func (w *fixture) tails() string {
	var b strings.Builder
	for _, p := range w.processes() {
		text, _ := os.ReadFile(p.log)
		if len(text) > 3000 {
			text = text[len(text)-3000:]
			text = text[bytes.IndexByte(text, '\n')+1:]
		}
		fmt.Fprintf(&b, "--- %s\n%s", p.name, text)
	}
	return b.String()
}

// flowPIDs are the processes of flows, whoever started them.
func (w *fixture) flowPIDs() (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range all {
		if at, err := os.Readlink(exe); err == nil && at == w.chain {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(exe)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// process is a program that is kept running, as a service manager would.
type process struct {
	w         *fixture
	name, log string
	at        string // where it listens; of Redis
	args, env []string
	as        *syscall.Credential
	stop      syscall.Signal // how a fault ends it

	mu     sync.Mutex
	cmd    *exec.Cmd
	gone   chan struct{}
	wanted bool
	ends   []time.Time // by itself
}

func (w *fixture) process(name string, args ...string) *process {
	home := filepath.Join(w.dir, name)
	p := &process{w: w, name: name, log: home + ".log", args: args, stop: syscall.SIGKILL,
		env: append(os.Environ(), "FLOWLITE_HOME="+home, "FLOWLITE_LOG_LEVEL=info")}
	w.t.Cleanup(func() { p.kill(p.stop) })
	return p
}

func (p *process) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
	p.launch()
}

// launch is called with mu held.
func (p *process) launch() {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.w.t.Error(err)
		return
	}
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.w.dir, p.env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	p.w.thread <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		p.w.t.Errorf("start %s: %v", p.name, err)
		return
	}
	gone := make(chan struct{})
	p.cmd, p.gone = cmd, gone
	go func() {
		_ = cmd.Wait()
		_ = log.Close()
		p.mu.Lock()
		p.cmd = nil
		byItself := p.wanted
		if byItself {
			p.ends = append(p.ends, time.Now())
		}
		p.mu.Unlock()
		close(gone)
		if byItself {
			<-time.After(500 * time.Millisecond)
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.wanted && p.cmd == nil {
				p.launch()
			}
		}
	}()
}

// kill ends it until it is started again.
func (p *process) kill(sig syscall.Signal) { p.end(sig)() }

// end asks it to, and returns what waits until it has.
func (p *process) end(sig syscall.Signal) (ended func()) {
	p.mu.Lock()
	p.wanted = false
	cmd, gone := p.cmd, p.gone
	p.mu.Unlock()
	if cmd == nil {
		return func() {}
	}
	_ = cmd.Process.Signal(syscall.SIGCONT)
	_ = cmd.Process.Signal(sig)
	return func() { <-gone }
}

func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(sig)
	}
}
