package out

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Live prints lines that scroll and, on a terminal, one below them that changes
// in place. Elsewhere that one is not shown.
type Live struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int // nil: not a terminal
	p     *Printer
	last  string
}

// Live prints to Out for people, and to Err where Out is wanted for data.
func (p *Printer) Live() *Live {
	l := &Live{w: p.Out, p: p}
	if !p.ForPeople() {
		l.w = p.Err
	}
	if f, ok := fileOf(l.w); ok && isTerminal(f) && !p.Dumb {
		l.width = func() int {
			if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
				return w
			}
			return p.Width
		}
	}
	return l
}

// Shown tells whether the last line is; who does not see it needs plain lines.
func (l *Live) Shown() bool { return l.width != nil }

// Line prints what scrolls.
func (l *Live) Line(text string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text = format(text, args) + "\n"
	if l.last != "" {
		text = eraseLine + text + l.fit(l.last)
	}
	_, _ = io.WriteString(l.w, text)
}

// Hint is a line that names the next step.
func (l *Live) Hint(text string, args ...any) {
	if !l.Shown() {
		l.p.Hint(text, args...)
		return
	}
	l.Line("%s", l.p.Dim("  hint: "+fmt.Sprintf(text, args...)))
}

// Set changes the last line; "" takes it away.
func (l *Live) Set(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text = Line(text)
	if l.width == nil || text == l.last {
		return
	}
	l.last = text
	_, _ = io.WriteString(l.w, eraseLine+l.fit(text))
}

const eraseLine = "\r\x1b[K"

// fit keeps the line on one row: a wrapped one could not be erased.
func (l *Live) fit(text string) string {
	n := l.width() - 1
	if width(text) <= n {
		return text
	}
	return string([]rune(plain(text))[:max(n, 0)])
}

// Elapsed is a length that is counted up: "8s", "1m 42s", "2h 05m".
func Elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	}
	return Duration(d)
}

// Join puts a dot between the parts that are not empty.
func (p *Printer) Join(parts ...string) string {
	var some []string
	for _, s := range parts {
		if s != "" {
			some = append(some, s)
		}
	}
	dot := " - "
	if p.Unicode {
		dot = " · "
	}
	return strings.Join(some, dot)
}
