package python

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// TestChildThatEndsAtOnce: a run may have ended before anybody looks at the
// answer that it began. It has run; who were told that it could not begin would
// begin it again.
func TestChildThatEndsAtOnce(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range pair {
		f := os.NewFile(uintptr(fd), "end")
		c, err := net.FileConn(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = c.(*net.UnixConn) //nolint:forcetypeassert // of such sockets
		defer ends[i].Close()
	}
	p := &parent{f: &Forker{}, conn: ends[0], waiting: map[int]chan answer{}, children: map[int]*Child{}}
	for id := 1; id <= 200; id++ {
		type result struct {
			c   *Child
			err error
		}
		got := make(chan result, 1)
		go func() {
			c, _, err := p.fork(Request{Stdout: os.Stdout, Stderr: os.Stderr})
			got <- result{c, err}
		}()
		if _, err := ends[1].Read(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		exit := 3 << 8
		p.take(answer{ID: id, PID: 1000 + id})
		p.take(answer{ID: id, Status: &exit})
		r := <-got
		if r.err != nil {
			t.Fatalf("the child of fork %d: %v", id, r.err)
		}
		if status, err := r.c.Wait(); err != nil || status.ExitStatus() != 3 || r.c.PID != 1000+id {
			t.Fatalf("child %d: %v, %v", r.c.PID, status, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		t.Error("nothing ends a parent that has no child any more")
	} else {
		p.idle.Stop()
	}
}
