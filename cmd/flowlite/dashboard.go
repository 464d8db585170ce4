package main

import (
	"os/exec"
	"runtime"

	"github.com/flowlite/flowlite/runtime/core"
)

type dashboardCmd struct {
	Open dashboardOpenCmd `cmd:"" default:"1" help:"Open the UI in the browser"`
}

type dashboardOpenCmd struct{}

func (dashboardOpenCmd) Run(a *app) error {
	url := a.api.page("/")
	if err := a.api.once.Health(a.ctx); err != nil {
		return a.api.explain(err)
	}
	shown := core.HideURL(url)
	if err := a.out.Say(core.ToJSON(map[string]string{"url": shown}), shown, "%s", shown); err != nil {
		return err
	}
	opener := []string{"xdg-open"}
	switch runtime.GOOS {
	case "darwin":
		opener = []string{"open"}
	case "windows":
		opener = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	cmd := exec.CommandContext(a.ctx, opener[0], append(opener[1:], url)...)
	if err := cmd.Start(); err != nil {
		a.out.Note("no browser could be opened (%v)", err)
		return nil
	}
	return cmd.Process.Release()
}
