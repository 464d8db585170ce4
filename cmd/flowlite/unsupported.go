package main

import (
	"slices"
	"strings"
)

// absent are commands that people look for and that are not here, most of them
// Prefect's: why, and what is nearest.
var absent = []struct{ words, why, hint string }{
	{"cloud", "there is no cloud: a flowlite server is the whole of it", "flowlite profile create NAME keeps the address of another server"},
	{"shell", "a shell command is the job variable command of a deployment", "flowlite deploy ENTRYPOINT --job-variable command='...'"},
	{"dev", "it is for working on Prefect itself", "flowlite up"},
	{"task serve", "background tasks are served by Python's own task.serve()", "flowlite flow serve ENTRYPOINT"},
	{"agent", "Prefect has given agents up for workers", "flowlite worker start --pool POOL"},
	{"work-pool provision-infrastructure", "pools run processes where their workers are", "flowlite work-pool create --type process NAME"},
	{"work-pool provision-infra", "pools run processes where their workers are", "flowlite work-pool create --type process NAME"},
	{"work-pool storage", "workers run flows from the folder that is deployed", "flowlite work-pool inspect NAME"},
	{"block register", "block types are built in; Python's own are registered by `prefect block register`", "flowlite block type ls"},
	{
		"server database downgrade",
		"migrations lead forward only: what a newer version wrote cannot be read by an older one",
		"restore the copy that was made before the upgrade",
	},
	{"server database revision", "migrations are part of the program", "flowlite server database upgrade"},
	{"server database stamp", "the database itself knows its version", "flowlite server database upgrade"},
	{"server services start", "every server runs the services, one of them at a time each", "flowlite server start"},
	{"server services stop", "every server runs the services, one of them at a time each", "flowlite server stop"},
	{"server services manager", "every server runs the services, one of them at a time each", "flowlite server services ls"},
	{"work-queue read-runs", "it is named preview", "flowlite work-queue preview NAME"},
	{"status", "it belongs to the server", "flowlite server status"},
	{"start", "it is up, or server start for a server without a worker", "flowlite up"},
	{"stop", "it belongs to the server", "flowlite server stop"},
	{"run", "what runs is a deployment", "flowlite deployment run FLOW/DEPLOYMENT --watch"},
	{"ps", "runs are listed by flow-run", "flowlite flow-run ls"},
	{"ls", "each kind has a list of its own", "flowlite deployment ls"},
	{"list", "each kind has a list of its own", "flowlite deployment ls"},
	{"serve", "it belongs to flow", "flowlite flow serve ENTRYPOINT"},
	{"login", "credentials stand in a profile", "flowlite config set FLOWLITE_API_URL=https://host/api FLOWLITE_AUTH_STRING=user:password"},
	{"secret get", "a secret is never shown again; flows read it", "flowlite secret ls"},
}

// leftOut is the error for a command that Prefect has and flowlite has not.
func leftOut(args []string) error {
	var words []string
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			words = append(words, a)
		}
	}
	for _, c := range absent {
		if w := strings.Fields(
			c.words,
		); len(words) >= len(w) &&
			slices.EqualFunc(w, words[:len(w)], func(want, said string) bool { return want == said || want+"s" == said }) {
			return &failure{code: exitUsage, what: "there is no command flowlite " + c.words, why: c.why, hint: c.hint}
		}
	}
	return nil
}
