package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type secretCmd struct {
	Ls    secretLsCmd    `cmd:"" aliases:"list" help:"List the names of secrets"`
	Set   secretSetCmd   `cmd:"" help:"Set a secret; asks for it without echo"`
	Unset secretUnsetCmd `cmd:"" aliases:"delete" help:"Delete a secret"`
}

type secretLsCmd struct{ pageFlags }

func (c *secretLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.BlockDocument](a, "POST", "/block_documents/filter",
		c.body(map[string]any{"block_types": map[string]any{"slug": map[string]any{"any_": []string{core.SecretBlock}}}}))
	if err != nil {
		return err
	}
	t := &out.Table{Empty: "no secrets", Columns: []out.Column{{Name: "name", Keep: true}, {Name: "updated"}}}
	var names []string
	for _, d := range all {
		names = append(names, d.Name)
		t.Rows = append(t.Rows, []string{d.Name, a.out.Ago(d.Updated)})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

type secretRef struct {
	Name string `arg:"" predictor:"secret" help:"name of the secret: lower-case letters, digits and dashes"`
}

// There is no argument for the value: it would stay in the shell's history.
type secretSetCmd struct {
	secretRef
	FromStdin bool   `xor:"from" help:"read the value from stdin, up to a last line break"`
	FromFile  string `predictor:"file" xor:"from" help:"read the value from a file, up to a last line break"`
	FromEnv   string `xor:"from" help:"take the value of an environment variable"`
	JSON      bool   `name:"json" help:"the value is JSON, not text"`
	Overwrite bool   `help:"replace a value that is there"`
}

func (c *secretSetCmd) Run(a *app) error {
	text, err := c.read(a)
	if err != nil {
		return err
	}
	value := core.ToJSON(text)
	if c.JSON {
		if value = core.JSON(text); !json.Valid(value) {
			return badUsage("the value is not JSON")
		}
	} else if text == "" {
		return badUsage("the value is empty")
	}
	d, raw, _, err := a.saveBlock(core.SecretBlock, c.Name, map[string]core.JSON{"value": value}, c.Overwrite)
	if err != nil {
		return err
	}
	return a.out.Say(raw, d.Name, "Set %s", d.Name)
}

func (c *secretSetCmd) read(a *app) (string, error) {
	var b []byte
	var err error
	switch {
	case c.FromEnv != "":
		v, ok := os.LookupEnv(c.FromEnv)
		if !ok {
			return "", badUsage("there is no %s in the environment", c.FromEnv)
		}
		return v, nil
	case c.FromFile != "":
		if b, err = os.ReadFile(c.FromFile); err != nil {
			return "", badUsage("cannot read the value: %v", err)
		}
	case c.FromStdin:
		if b, err = io.ReadAll(a.stdin); err != nil {
			return "", err
		}
	case a.canAsk():
		_, _ = fmt.Fprintf(a.out.Err, "Value of %s (not shown): ", c.Name)
		fd := int(a.stdin.(*os.File).Fd())
		if before, err := term.GetState(fd); err == nil {
			defer func() { _ = term.Restore(fd, before) }() // after Ctrl-C
		}
		text, err := a.typed(func() (string, error) { b, err := term.ReadPassword(fd); return string(b), err })
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintln(a.out.Err)
		return text, nil
	default:
		return "", &failure{
			code: exitUsage,
			what: "the value needs to be typed, and there is no terminal",
			hint: "say --from-stdin, --from-file FILE or --from-env NAME",
		}
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}

type secretUnsetCmd struct {
	secretRef
	yesFlag
}

func (c *secretUnsetCmd) Run(a *app) error {
	d, _, err := ask[*core.BlockDocument](a, "GET", blockPath(core.SecretBlock, c.Name), nil)
	if core.IsNotFound(err) {
		return &failure{code: exitNotFound, what: "no secret " + c.Name, hint: "flowlite secret ls shows all"}
	}
	if err != nil {
		return err
	}
	if err := a.confirm(c.Yes, "Delete secret "+c.Name+"?"); err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "DELETE", "/block_documents/"+d.ID.String(), nil); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(map[string]string{"name": c.Name}), c.Name, "Unset %s", c.Name)
}
