package core

import (
	"slices"
	"strings"
)

// withheld are the environment variables of a server or worker that hold
// credentials of its own. Flows do not get them, nor does what builds and
// describes flows, because it executes code of flows.
var withheld = []string{
	"FLOWLITE_AUTH_STRING", "FLOWLITE_DATABASE_URL", "FLOWLITE_ENCRYPTION_KEY", "FLOWLITE_IMPORT_AUTH_STRING", "FLOWLITE_REDIS_URL",
	"PREFECT_API_AUTH_STRING", "PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_PASSWORD", "PREFECT_API_KEY",
	"PREFECT_SERVER_API_AUTH_STRING", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_PASSWORD",
}

// Withheld reports whether an environment variable stays with the server or
// worker, whose own credentials it holds.
func Withheld(name string) bool {
	return slices.Contains(withheld, name)
}

// FlowEnviron returns env, as of os.Environ, without what is withheld.
func FlowEnviron(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return Withheld(name)
	})
}

// WithheldNames returns all that Withheld reports.
func WithheldNames() []string { return slices.Clone(withheld) }
