package main

import (
	"encoding/json"
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
)

// said is what a command answers for one of its arguments.
type said struct {
	raw        core.JSON
	name, text string
}

// each does a command for each argument. One that fails keeps no other from
// being done; the first failure is the command's exit code.
func (a *app) each(refs []string, do func(ref string) (*said, error)) error {
	var failed error
	raws, names := []json.RawMessage{}, []string{}
	for _, ref := range refs {
		s, err := do(ref)
		if err == nil && a.out.ForPeople() {
			err = a.out.Say(nil, "", "%s", s.text)
		}
		switch {
		case err == nil:
			raws, names = append(raws, json.RawMessage(s.raw)), append(names, s.name)
		case len(refs) == 1 || a.ctx.Err() != nil:
			return err
		default:
			if code := outcome(report(a.out, err)); failed == nil {
				failed = code
			}
		}
	}
	if !a.out.ForPeople() {
		raw := core.ToJSON(raws)
		if len(refs) == 1 {
			raw = core.JSON(raws[0])
		}
		if err := a.out.List(raw, nil, names); err != nil {
			return err
		}
	}
	return failed
}

// yesFlag is that of every command that asks before it destroys.
type yesFlag struct {
	Yes bool `short:"y" help:"do not ask"`
}

// count is "1 schedule", "2 schedules".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}
