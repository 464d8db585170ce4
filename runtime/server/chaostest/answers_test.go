package chaostest

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// answers are those of the API as they pass the proxies.
type answers struct {
	mu    sync.Mutex
	count map[int]int
	bad   []answer
}

type answer struct {
	at     time.Time
	status int
}

// read sees each piece that goes to a client. An answer begins a piece, since
// no client asks a second thing on a connection before it has the first.
func (a *answers) read(piece []byte) {
	rest, is := bytes.CutPrefix(piece, []byte("HTTP/1.1 "))
	if !is || len(rest) < 3 {
		return
	}
	status, _ := strconv.Atoi(string(rest[:3]))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count == nil {
		a.count = map[int]int{}
	}
	a.count[status]++
	if status >= 500 {
		a.bad = append(a.bad, answer{time.Now(), status})
	}
}

// failures are 5xx answers but those that are excused: 503 where something is
// broken. excuse may be nil.
func (a *answers) failures(excuse func(time.Time) bool) (out []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.bad {
		if b.status != 503 || excuse == nil || !excuse(b.at) {
			out = append(out, fmt.Sprintf("%s %d", b.at.Format("15:04:05.000"), b.status))
		}
	}
	return out
}
