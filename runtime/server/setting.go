package server

// flags are how a user of the command line writes the settings that errors name.
var flags = map[string]string{
	"AllowedHosts":  "--allowed-host NAME (FLOWLITE_ALLOWED_HOSTS)",
	"AuthString":    "FLOWLITE_AUTH_STRING",
	"DatabaseURL":   "--database",
	"EncryptionKey": "FLOWLITE_ENCRYPTION_KEY",
	"Home":          "FLOWLITE_HOME",
	"Host":          "--host",
	"MetricsAddr":   "--metrics",
	"NoAuth":        "--no-auth",
	"Port":          "--port",
	"PublicURL":     "--public-url",
	"Redis":         "--redis (FLOWLITE_REDIS_URL)",
}

// setting is what an error calls a field of Config: a flag or a variable for users
// of the command line, the field itself for programs.
func (c *Config) setting(field string) string {
	if c.Embedded {
		return "Config." + field
	}
	return flags[field]
}
