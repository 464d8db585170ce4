package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
)

func (a *app) canAsk() bool {
	f, ok := a.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (a *app) prompt(question string) (string, error) {
	_, _ = fmt.Fprint(a.out.Err, out.Line(question)+" ")
	line, err := a.typed(func() (string, error) { return bufio.NewReader(a.stdin).ReadString('\n') })
	return strings.TrimSpace(line), err
}

// typed is what somebody types, or the end of the command by Ctrl-C: the signal
// is ours, so it does not end a read by itself.
func (a *app) typed(read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := read()
		got <- answer{text, err}
	}()
	select {
	case x := <-got:
		return x.text, x.err
	case <-a.ctx.Done():
		_, _ = fmt.Fprintln(a.out.Err)
		return "", outcome(exitInterrupted)
	}
}

func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !a.canAsk() {
		return &failure{code: exitUsage, what: question + " needs an answer, and there is no terminal", hint: "say --yes"}
	}
	answer, err := a.prompt(question + " [y/N]")
	if a.ctx.Err() != nil {
		return err
	}
	if err != nil || !strings.HasPrefix(strings.ToLower(answer), "y") {
		return &failure{code: exitFailed, what: "nothing was changed"}
	}
	return nil
}
