package main

import (
	"errors"
	"fmt"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

const (
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitUnreachable = 4
	exitRunFailed   = 10
	exitRunCancel   = 11
	exitRunPaused   = 12
	exitTimeout     = 124
	exitInterrupted = 130
)

// failure is an error as it is printed: what, why, and what to do.
type failure struct {
	code            int
	what, why, hint string
}

func (f *failure) Error() string { return f.what }

// outcome is an exit code of which all has been said already.
type outcome int

func (o outcome) Error() string { return fmt.Sprintf("exit %d", int(o)) }

func badUsage(format string, args ...any) error {
	return &failure{code: exitUsage, what: fmt.Sprintf(format, args...)}
}

func report(p *out.Printer, err error) int {
	if err == nil {
		return 0
	}
	if o, ok := errors.AsType[outcome](err); ok {
		return int(o)
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{code: exitFailed, what: err.Error()}
		if e, ok := errors.AsType[*core.Error](err); ok {
			switch {
			case e.Code == core.ENotFound:
				f.code = exitNotFound
			case e.Code == core.EUnauth:
				f.hint = "set FLOWLITE_AUTH_STRING to the server's user:password"
			case client.Unreachable(err):
				f.hint = "start a server: flowlite up; another address: FLOWLITE_API_URL"
			}
		}
	}
	p.Note("%s %s", p.Red("error:"), core.HideCredentials(f.what))
	if f.why != "" {
		p.Note("  why:  %s", core.HideCredentials(f.why))
	}
	if f.hint != "" {
		p.Hint("%s", core.HideCredentials(f.hint))
	}
	return f.code
}
