package main

import (
	"runtime/debug"

	"github.com/flowlite/flowlite/runtime/core"
)

// release is set by -ldflags "-X main.release=v1.2.3".
var release string

func version() string {
	if release != "" {
		return release
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return "dev"
}

type versionCmd struct{}

func (versionCmd) Run(a *app) error {
	return a.out.Say(core.ToJSON(map[string]string{"version": version()}), version(), "flowlite %s", version())
}
