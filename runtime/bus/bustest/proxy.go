package bustest

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy stands between a client and a backend, and breaks the network at will.
type Proxy struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	cut   bool
	stall chan struct{} // not nil: nothing passes until it is closed
	conns map[net.Conn]bool
	watch func(piece []byte) // of what goes to the client; may be nil
	wg    sync.WaitGroup
}

// NewProxy forwards to host:port until the test ends.
func NewProxy(tb testing.TB, to string) *Proxy {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: l, to: to, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	tb.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.wg.Wait()
	})
	return p
}

// Through is a URL with the proxy in the place of the backend, and the proxy.
func Through(tb testing.TB, backend string) (string, *Proxy) {
	tb.Helper()
	u, err := url.Parse(backend)
	if err != nil {
		tb.Fatal(err)
	}
	p := NewProxy(tb, u.Host)
	u.Host = p.Addr()
	return u.String(), p
}

// Watch shows each piece of what goes to the client from now on.
func (p *Proxy) Watch(watch func(piece []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = watch
}

func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut breaks every connection and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	p.flow()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// Stall keeps connections, old and new, but lets nothing pass.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stall == nil {
		p.stall = make(chan struct{})
	}
}

// Restore lets all pass again.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	p.flow()
}

func (p *Proxy) flow() {
	if p.stall != nil {
		close(p.stall)
		p.stall = nil
	}
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.forward(c) })
	}
}

func (p *Proxy) forward(c net.Conn) {
	defer func() { _ = c.Close() }()
	if !p.keep(c) {
		return
	}
	out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.to)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	if !p.keep(out) {
		return
	}
	p.wg.Go(func() {
		p.pass(out, c, false)
		_ = out.Close()
		_ = c.Close()
	})
	p.pass(c, out, true)
}

func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) pass(to io.Writer, from io.Reader, watched bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		stall, watch := p.stall, p.watch
		p.mu.Unlock()
		if watched && watch != nil && n > 0 {
			watch(buf[:n])
		}
		if stall != nil {
			<-stall
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
