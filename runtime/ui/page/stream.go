package page

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	KeepAlive            = 15 * time.Second // between two comments on a quiet stream
	maxStreamsPerBrowser = 4                // over HTTP/1.1
	maxStreams           = 2000             // of all browsers: a cookie is what a client says it is
)

// streams counts the open streams of each browser. Over HTTP/1.1 six
// connections per host are all there is, and a seventh tab would hang.
type streams struct {
	sync.Mutex
	n   map[string]int
	all int // over any version of HTTP
}

// admit refuses a stream with 204 when the browser or the server has enough: the
// page then keeps its slow poll.
func (s *streams) admit(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	key := r.RemoteAddr
	if c, err := r.Cookie("fl_sid"); err == nil {
		key = c.Value
	}
	s.Lock()
	defer s.Unlock()
	if s.n == nil {
		s.n = map[string]int{}
	}
	old := r.ProtoMajor < 2
	if s.all >= maxStreams || old && s.n[key] >= maxStreamsPerBrowser {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil, false
	}
	s.all++
	if old {
		s.n[key]++
	}
	return func() {
		s.Lock()
		defer s.Unlock()
		s.all--
		if !old {
			return
		}
		if s.n[key]--; s.n[key] == 0 {
			delete(s.n, key)
		}
	}, true
}

// Admit counts a stream until it is released, or refuses it.
func (k *Kit) Admit(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	return k.streams.admit(w, r)
}

// Done is closed when the server stops.
func (k *Kit) Done() <-chan struct{} { return k.stopping }

// Streams is how many streams are open over HTTP/1.1.
func (k *Kit) Streams() (n int) {
	k.streams.Lock()
	defer k.streams.Unlock()
	for _, k := range k.streams.n {
		n += k
	}
	return n
}

// SSE writes server-sent events.
type SSE struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// OpenSSE begins a stream of events.
func OpenSSE(w http.ResponseWriter) SSE {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	s := SSE{w, http.NewResponseController(w)}
	_ = s.rc.SetWriteDeadline(time.Time{})
	return s
}

// Send writes one event. Empty id and event are left out.
func (s SSE) Send(id, event, data string) error {
	var b strings.Builder
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	if event != "" {
		b.WriteString("event: " + event + "\n")
	}
	for l := range strings.SplitSeq(data, "\n") {
		b.WriteString("data: " + strings.ReplaceAll(l, "\r", "") + "\n")
	}
	b.WriteString("\n")
	if _, err := s.w.Write([]byte(b.String())); err != nil {
		return err
	}
	return s.rc.Flush()
}

// Comment keeps a quiet stream open.
func (s SSE) Comment() error {
	if _, err := s.w.Write([]byte(": keep\n\n")); err != nil {
		return err
	}
	return s.rc.Flush()
}

func (k *Kit) changes(w http.ResponseWriter, r *http.Request) error {
	return k.Tell(w, r, core.TopicRun)
}

// Tell lets pages know that something moved; they fetch again what they show.
func (k *Kit) Tell(w http.ResponseWriter, r *http.Request, of core.Topic) error {
	release, ok := k.Admit(w, r)
	if !ok {
		return nil
	}
	defer release()
	moved := k.Bus.Subscribe(of, "", 64)
	defer moved.Close()
	s := OpenSSE(w)
	if s.Send("", "hello", "") != nil {
		return nil
	}
	keep := time.NewTicker(KeepAlive)
	defer keep.Stop()
	var due <-chan time.Time
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-k.stopping:
			return nil
		case _, open := <-moved.C():
			if !open {
				return nil
			}
			if due == nil {
				due = time.After(time.Second)
			}
		case <-due:
			due = nil
			err = s.Send("", "changed", "")
		case <-keep.C:
			err = s.Comment()
		}
		if err != nil {
			return nil
		}
	}
}
