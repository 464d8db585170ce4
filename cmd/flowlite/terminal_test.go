//go:build unix

package main_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

// terminal is the program on a pseudo-terminal.
type terminal struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	read chan struct{}

	mu   sync.Mutex
	seen strings.Builder
}

func onTerminal(t *testing.T, api string, cols uint16, args ...string) *terminal {
	t.Helper()
	bin := buildProgram(t)
	x := &terminal{t: t, cmd: exec.Command(bin, args...), read: make(chan struct{})}
	x.cmd.Env = append(os.Environ(), "FLOWLITE_API_URL="+api, "TERM="+cmp.Or(os.Getenv("FLOWLITE_TEST_TERM"), "xterm-256color"), "LC_ALL=C.UTF-8", "NO_COLOR="+os.Getenv("FLOWLITE_TEST_NO_COLOR"))
	var err error
	if x.tty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 24, Cols: cols}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = x.tty.Close()
	})
	go func() {
		defer close(x.read)
		for b := make([]byte, 4096); ; {
			n, err := x.tty.Read(b)
			x.mu.Lock()
			x.seen.Write(b[:n])
			x.mu.Unlock()
			if err != nil {
				return // EIO: the program has gone
			}
		}
	}()
	return x
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.String()
}

var ansiCode = regexp.MustCompile("\x1b\\[[0-9;]*m")

// plain is the text without colours.
func (x *terminal) plain() string { return ansiCode.ReplaceAllString(x.text(), "") }

func (x *terminal) shows(pattern string) {
	x.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !re.MatchString(x.plain()) {
		select {
		case <-tick.C:
		case <-deadline:
			x.t.Fatalf("the terminal does not show %s:\n%q", pattern, x.text())
		}
	}
}

func (x *terminal) types(s string) {
	x.t.Helper()
	if _, err := io.WriteString(x.tty, s); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) ends(code int) {
	x.t.Helper()
	<-x.read
	_ = x.cmd.Wait()
	if got := x.cmd.ProcessState.ExitCode(); got != code {
		x.t.Errorf("exit %d, want %d\n%q", got, code, x.text())
	}
}

// gated is a server with a flow of three tasks, each of which waits for a
// token, and one that asks for approval.
func gated(t *testing.T) (api string, gate chan struct{}) {
	t.Helper()
	gate = make(chan struct{})
	pass := flowlite.NewTask("pass", func(ctx context.Context, n int) (int, error) {
		select {
		case <-gate:
			flowlite.Logger(ctx).Info(fmt.Sprintf("passed %d", n))
			return n, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	})
	gates := flowlite.NewFlow("gates", func(ctx context.Context, _ struct{}) (int, error) {
		sum := 0
		for n := range 3 {
			v, err := pass.Run(ctx, n)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	type decision struct {
		Approved bool   `json:"approved" jsonschema:"description=may it go on?"`
		Note     string `json:"note,omitempty"`
	}
	ask := flowlite.NewFlow("ask", func(ctx context.Context, _ struct{}) (string, error) {
		d, err := flowlite.Pause[decision](ctx, flowlite.Ask{Description: "release?"})
		return fmt.Sprint(d.Approved, " ", d.Note), err
	})
	app, err := embed.New(embed.Config{Port: -1, NoUI: true, Home: t.TempDir(), Logger: slog.New(slog.DiscardHandler), DrainGrace: time.Second}, gates, ask)
	if err == nil {
		err = app.Start(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	return app.URL() + "/api", gate
}

func TestWatchOnTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, gate := gated(t)
	x := onTerminal(t, api, 100, "deployment", "run", "gates/local", "--watch")
	x.shows(`Created \S+  \S+  http://`)
	x.shows(`\r\x1b\[K● Running \d+s · 0/1 tasks`)
	gate <- struct{}{}
	x.shows(`passed 0\r\n● Running`) // what scrolls stands above the last line
	x.shows(`\r\x1b\[K● Running \d+s · 1/2 tasks`)
	gate <- struct{}{}
	gate <- struct{}{}
	x.ends(0)
	x.shows(`\r\x1b\[K✓ Completed in [\d.]+ m?s   result 3\r\n$`)
	if strings.Count(x.plain(), "● Running") < 2 || strings.Contains(x.plain(), "Running\r\n") {
		t.Errorf("the state should stand in the last line alone: %q", x.text())
	}
}

func TestWatchOnNarrowTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, gate := gated(t)
	x := onTerminal(t, api, 20, "deployment", "run", "gates/local", "--watch")
	x.shows(`\r\x1b\[K● Running \d+s · 0/1`)
	for range 3 {
		gate <- struct{}{}
	}
	x.ends(0)
	for _, l := range regexp.MustCompile(`\r\x1b\[K([^\r\n]*)`).FindAllStringSubmatch(x.plain(), -1) {
		if strings.HasPrefix(l[1], "●") && len([]rune(l[1])) >= 20 {
			t.Errorf("the last line wraps: %q", l[1])
		}
	}
}

func TestDetachOnTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, gate := gated(t)
	x := onTerminal(t, api, 100, "deployment", "run", "gates/local", "--watch", "--flow-run-name", "let-go")
	x.shows(`● Running \d+s`)
	x.types("\x03")
	x.ends(130)
	x.shows("detached; the run goes on.*flow-run watch let-go.*flow-run cancel let-go")
	y := onTerminal(t, api, 100, "flow-run", "watch", "let-go")
	y.shows(`● Running \d+s · 0/1 tasks`)
	for range 3 {
		gate <- struct{}{}
	}
	y.ends(0)
	y.shows(`✓ Completed`)
}

func TestQuestionsOnTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, _ := gated(t)
	x := onTerminal(t, api, 100, "deployment", "delete", "gates/local")
	x.shows(`Delete gates/local\? \[y/N\]`)
	x.types("n\n")
	x.ends(1)
	x.shows("nothing was changed")

	// Ctrl-C ends a question, whatever it asks for.
	for _, args := range [][]string{{"deployment", "delete", "gates/local"}, {"work-pool", "create", "p"}, {"secret", "set", "s"}} {
		x = onTerminal(t, api, 100, args...)
		x.shows(`\[y/N\] |\[process\]: |not shown\): `)
		x.types("\x03")
		x.ends(130)
	}

	x = onTerminal(t, api, 100, "deployment", "run", "ask/local", "--watch", "--flow-run-name", "asking")
	x.shows(`‖ Paused \d+s`)
	x.shows(`hint: flowlite flow-run resume asking`)
	y := onTerminal(t, api, 100, "flow-run", "resume", "asking")
	y.shows(`approved \(may it go on\?\) \[true/false\]:`)
	y.types("yes\n")
	y.shows(`note:`)
	y.types("fine by me\n")
	y.ends(0)
	x.ends(0)
	x.shows(`✓ Completed.*result "true fine by me"`)

	x = onTerminal(t, api, 100, "deployment", "delete", "gates/local")
	x.shows(`\[y/N\]`)
	x.types("y\n")
	x.ends(0)
	x.shows("Deleted gates/local")
}

// A pipe gets plain lines.
func TestWatchInPipe(t *testing.T) {
	api, gate := gated(t)
	bin := buildProgram(t)
	cmd := exec.Command(bin, "deployment", "run", "gates/local", "--watch")
	cmd.Env = append(os.Environ(), "FLOWLITE_API_URL="+api, "LC_ALL=C.UTF-8")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for sc := bufio.NewScanner(pipe); sc.Scan(); {
		lines = append(lines, sc.Text())
		if sc.Text() == "● Running" {
			for range 3 {
				gate <- struct{}{}
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	all := strings.Join(lines, "\n")
	if len(lines) < 6 || strings.ContainsAny(all, "\x1b\r") || !strings.Contains(all, "passed 2") || !strings.HasPrefix(lines[len(lines)-1], "✓ Completed in ") {
		t.Errorf("%q", lines)
	}
}

// So does a terminal that cannot move its cursor.
func TestWatchOnDumbTerminal(t *testing.T) {
	api, gate := gated(t)
	t.Setenv("FLOWLITE_TEST_TERM", "dumb")
	x := onTerminal(t, api, 100, "deployment", "run", "gates/local", "--watch")
	x.shows(`\r\n● Running\r\n`)
	for range 3 {
		gate <- struct{}{}
	}
	x.ends(0)
	if strings.Contains(x.text(), "\x1b") {
		t.Errorf("%q", x.text())
	}
}
