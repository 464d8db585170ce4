package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

func (a *app) canAsk() bool {
	f, ok := a.stdin.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

func (a *app) prompt(question string) (string, error) {
	_, _ = fmt.Fprint(a.out.Err, question+" ")
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	return strings.TrimSpace(line), err
}

func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !a.canAsk() {
		return &failure{code: exitUsage, what: question + " needs an answer, and there is no terminal", hint: "say --yes"}
	}
	answer, err := a.prompt(question + " [y/N]")
	if err != nil || !strings.HasPrefix(strings.ToLower(answer), "y") {
		return &failure{code: exitFailed, what: "nothing was changed"}
	}
	return nil
}
