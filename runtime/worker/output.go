package worker

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/worker/python"
)

// maxLine is where a longer line is cut into several log entries.
const maxLine = 64 << 10

// capture turns output into log entries, line by line.
func (w *Worker) capture(r *run, from io.Reader, quiet bool, tail *tail) {
	rd := bufio.NewReaderSize(from, maxLine)
	var carry []byte // the start of a character that a cut fell into
	level := int64(20)
	for {
		chunk, err := rd.ReadSlice('\n')
		if len(chunk) > 0 || len(carry) > 0 {
			line := slices.Concat(carry, chunk)
			carry = nil
			if errors.Is(err, bufio.ErrBufferFull) {
				line, carry = cut(line)
			}
			text := clean(line)
			if tail != nil {
				if why, ok := strings.CutPrefix(text, python.ExitMark); ok {
					tail.why(why)
					continue
				}
				if strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") {
					level = 40
				}
				tail.add(text)
			}
			if !quiet {
				w.logs.add(r.id(), level, text)
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// cut keeps characters whole.
func cut(line []byte) (head, rest []byte) {
	for i := len(line) - 1; i >= 0 && i > len(line)-utf8.UTFMax; i-- {
		if utf8.RuneStart(line[i]) {
			if !utf8.FullRune(line[i:]) {
				return line[:i], append([]byte(nil), line[i:]...)
			}
			break
		}
	}
	return line, nil
}

// clean makes text that every database takes.
func clean(line []byte) string {
	s := strings.TrimRight(string(line), "\r\n")
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// tail remembers the line that says best why a process ended: its panic, else
// the last one.
type tail struct {
	mu    sync.Mutex
	last  string
	panic string
}

func (t *tail) add(text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "…"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = text
	if t.panic == "" && (strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")) {
		t.panic = text
	}
}

// why is what the process itself says of its end.
func (t *tail) why(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.panic = text
}

func (t *tail) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.panic != "" {
		return t.panic
	}
	return t.last
}
