package chaostest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/core"
)

// fault breaks something, and says how to mend it and after how long.
type fault struct {
	name   string
	target func(r *rand.Rand) int // which one of several
	break_ func(target int, r *rand.Rand) (after time.Duration, mend func())
}

// window is when something was broken.
type window struct {
	what     string
	from, to time.Time
}

// faults breaks one thing after the other; several may be broken at a time,
// but each only once.
type faults struct {
	w    *fixture
	rnd  *rand.Rand
	kind []fault

	mu      sync.Mutex
	broken  map[string]bool
	windows []*window
	mending sync.WaitGroup
}

// longer than a lease, so that what is frozen finds its runs in other hands.
const pastLease = time.Duration(float64(core.LeaseSeconds)*1.2) * time.Second

func newFaults(w *fixture, rnd *rand.Rand) *faults {
	f := &faults{w: w, rnd: rnd, broken: map[string]bool{}}
	one := func(n int) func(*rand.Rand) int { return func(r *rand.Rand) int { return r.IntN(n) } }
	killed := func(of func(int) *process, to time.Duration) func(int, *rand.Rand) (time.Duration, func()) {
		return func(n int, r *rand.Rand) (time.Duration, func()) {
			p := of(n)
			p.kill(p.stop)
			return between(r, 0, to), p.start
		}
	}
	stopped := func(of func(int) *process) func(int, *rand.Rand) (time.Duration, func()) {
		return func(n int, _ *rand.Rand) (time.Duration, func()) {
			p := of(n)
			ended := p.end(syscall.SIGTERM)
			return 0, func() { ended(); p.start() }
		}
	}
	frozen := func(of func(int) *process, from, to time.Duration) func(int, *rand.Rand) (time.Duration, func()) {
		return func(n int, r *rand.Rand) (time.Duration, func()) {
			p := of(n)
			p.signal(syscall.SIGSTOP)
			return between(r, from, to), func() { p.signal(syscall.SIGCONT) }
		}
	}
	cut := func(of func(int) *bustest.Proxy) func(int, *rand.Rand) (time.Duration, func()) {
		return func(n int, r *rand.Rand) (time.Duration, func()) {
			p := of(n)
			if r.IntN(2) == 0 {
				p.Cut()
			} else {
				p.Stall()
			}
			return between(r, time.Second, pastLease), p.Restore
		}
	}
	server := func(n int) *process { return w.servers[n] }
	worker := func(n int) *process { return w.workers[n] }
	f.kind = []fault{
		{"kill server", one(servers), killed(server, 3*time.Second)},
		{"kill worker", one(workers), killed(worker, 3*time.Second)},
		{"stop server", one(servers), stopped(server)},
		{"stop worker", one(workers), stopped(worker)},
		{"kill flows", one(1), func(_ int, r *rand.Rand) (time.Duration, func()) {
			f.flows(r, syscall.SIGKILL)
			return 0, func() {}
		}},
		{"freeze server", one(servers), frozen(server, time.Second, pastLease*3/2)},
		{"freeze worker", one(workers), frozen(worker, pastLease, pastLease*3/2)},
		{"freeze flows", one(1), func(_ int, r *rand.Rand) (time.Duration, func()) {
			thaw := f.flows(r, syscall.SIGSTOP)
			return between(r, pastLease, pastLease*3/2), thaw
		}},
		{"flush redis", one(1), func(int, *rand.Rand) (time.Duration, func()) {
			f.flush()
			return 0, func() {}
		}},
		{"stop redis", one(1), killed(func(int) *process { return w.redis }, pastLease)},
		{"restart postgres", one(1), killed(func(int) *process { return w.postgres }, pastLease)},
		{"cut postgres of server", one(servers), cut(func(n int) *bustest.Proxy { return w.toPostgres[n] })},
		{"cut redis of server", one(servers), cut(func(n int) *bustest.Proxy { return w.toRedis[n] })},
		{"cut workers off server", one(servers), cut(func(n int) *bustest.Proxy { return w.toServer[n] })},
	}
	f.kind = slices.DeleteFunc(f.kind, func(k fault) bool { return !strings.Contains(k.name, *chaosOnly) })
	return f
}

func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}

// for_ breaks things for so long and returns when all are mended.
func (f *faults) for_(d time.Duration) {
	end := time.After(d)
	for {
		f.next()
		select {
		case <-end:
			f.mending.Wait()
			return
		case <-time.After(between(f.rnd, 300*time.Millisecond, 3*time.Second)):
		}
	}
}

func (f *faults) next() {
	k := f.kind[f.rnd.IntN(len(f.kind))]
	n := k.target(f.rnd)
	name := fmt.Sprintf("%s %d", k.name, n)
	target := name[strings.IndexByte(name, ' ')+1:]
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken[target] {
		return
	}
	f.broken[target] = true
	at := &window{what: name, from: time.Now()}
	f.windows = append(f.windows, at)
	after, mend := k.break_(n, f.rnd)
	f.w.t.Logf("%s %s for %s", at.from.Format("15:04:05.000"), name, after.Round(time.Millisecond))
	f.mending.Go(func() {
		<-time.After(after)
		mend()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.broken[target] = false
		at.to = time.Now()
	})
}

// flows signals some of them, at least one.
func (f *faults) flows(r *rand.Rand, sig syscall.Signal) (thaw func()) {
	var hit []int
	for _, pid := range f.w.flowPIDs() {
		if len(hit) == 0 || r.IntN(3) == 0 {
			hit = append(hit, pid)
			_ = syscall.Kill(pid, sig)
		}
	}
	return func() {
		for _, pid := range f.w.flowPIDs() {
			if slices.Contains(hit, pid) {
				_ = syscall.Kill(pid, syscall.SIGCONT)
			}
		}
	}
}

// flush is void while Redis is away.
func (f *faults) flush() {
	c, err := net.DialTimeout("tcp", f.w.redis.at, time.Second)
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte("FLUSHALL\r\n"))
	_, _ = c.Read(make([]byte, 16))
}

// during says whether something was broken at a time, or had been until a
// moment before.
func (f *faults) during(at time.Time, grace time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.windows, func(w *window) bool { return at.After(w.from) && at.Before(w.to.Add(grace)) })
}
