package db

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDialerBoundsSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := dialer().DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		if n, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); err != nil || n != int(deadAfter.Milliseconds()) {
			t.Errorf("%d ms, %v", n, err)
		}
	})
	u, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if c, err := dialer().DialContext(t.Context(), "unix", u.Addr().String()); err != nil {
		t.Errorf("a socket of the machine: %v", err)
	} else {
		_ = c.Close()
	}
}
