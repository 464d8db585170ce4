package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/retention"
	"github.com/flowlite/flowlite/runtime/template"
)

// Config of a Server. The zero value is an API and UI on 127.0.0.1:4200 over
// the SQLite file in ~/.flowlite, without a worker.
type Config struct {
	Host        string // default 127.0.0.1
	Port        int    // default 4200; -1 takes any free one
	NoListen    bool   // only Handler serves; flows that need a process of their own do not run here
	DatabaseURL string // default: flowlite.db in Home
	// Postgres is the database of the program that embeds the server, in place of
	// DatabaseURL.
	Postgres   func(context.Context) (pgconfig.Source, error)
	Redis      Redis  // joins the servers of a Postgres database; nil: they use the database
	Home       string // default: $HOME/.flowlite
	AuthString string // user:password, asked of everyone
	// EncryptionKey seals secrets and other blocks: 32 bytes as base64 or hex,
	// and after a comma the keys before it. Default: the file encryption.key in
	// Home, made at the first start.
	EncryptionKey string
	NoAuth        bool // serve other machines without asking
	// Identity names the person who sends a request, or reports false, for 401.
	Identity func(*http.Request) (name string, ok bool)
	// AllowedHosts are names, beside those of Host and PublicURL, under which the
	// server answers; others get 421. ".example.com" stands for every name below it,
	// "*" for all.
	AllowedHosts []string
	// AllowedOrigins are those of web pages that may call the API from elsewhere,
	// such as "https://app.example.com". Pages of other origins are refused.
	AllowedOrigins []string
	// TrustedProxies are addresses and prefixes of reverse proxies whose header
	// X-Forwarded-For names the client. Default: with PublicURL, loopback and private
	// addresses, which then share a bound on wrong credentials; else none.
	TrustedProxies []string
	// PrivateURLs are host names, addresses and prefixes of private networks that
	// notifications and webhooks may reach; "*" is all. Public addresses need none.
	PrivateURLs []string
	// BasePath is where a proxy puts the server: "/flowlite". The proxy may cut
	// it off or leave it; addresses of pages begin with it.
	BasePath string
	// PublicURL is where people find the pages: "https://flows.example.com". It
	// begins the links in notifications. Default: the address listened on, with
	// the base path.
	PublicURL string
	CSRF      bool // changing requests to the API must carry a token

	// Retain is how long history is kept; its zero value is the default.
	Retain retention.Periods

	Worker      bool     // run the pool "default" here
	Pool        string   // default: "default"
	MakePool    bool     // create Pool if it is missing
	Queues      []string // of the pool; empty: all
	WorkerLimit int      // runs at once; 0: no limit
	Python      string   // interpreter of Python flows; default: that of their folder
	RunAs       string   // system user of the flows' processes; Linux, for a server of root
	NoFork      bool     // each Python run is a process of its own, without a warm parent
	FlowsDir    string   // deploy what is there and watch it; empty: nothing
	WorkDir     string   // what deployed entrypoints are relative to; default: the current folder
	NoLoops     bool     // scheduling and expiry are done by another server
	NoUI        bool
	NoAPI       bool // only whether it is well is told under /api

	// Templates renders texts of users with {{ }} in them; nil: they are refused.
	Templates template.Engine
	// Notifications sends to services other than webhooks; nil: such notifications fail.
	Notifications notify.Sender

	// Meter counts what the server does; nil: nothing is counted.
	Meter Meter
	// MetricsAddr is an address of its own for /metrics, "127.0.0.1:9090", without
	// credentials. Empty: the server's address, with credentials.
	MetricsAddr string

	Version    string
	Log        *slog.Logger
	DrainGrace time.Duration // how long Stop lets runs finish; default 10 s

	// Embedded makes errors name fields of Config instead of flags and variables.
	Embedded bool
	// OnFlows hears of each look at the flows folder.
	OnFlows func(FlowsReport)
	// InProcess, Flows, CancelCause and LostCause are for embedding: see worker.Config.
	InProcess   func(ctx context.Context, claim core.Claim) (handled bool, err error)
	Flows       []string
	CancelCause error
	LostCause   error
}

func (c *Config) complete() error {
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	switch {
	case c.Port == 0:
		c.Port = 4200
	case c.Port == -1:
		c.Port = 0
	case c.Port < 0 || c.Port > 65535:
		return core.Errorf(core.EInvalid, "port %d does not exist; choose one from 1 to 65535", c.Port)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Pool == "" {
		c.Pool = core.DefaultPool
	}
	if c.DrainGrace <= 0 {
		c.DrainGrace = 10 * time.Second
	}
	if c.Home == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return core.Errorf(core.EInvalid, "no home folder to keep data in (%w); set %s", err, c.setting("Home"))
		}
		c.Home = filepath.Join(home, ".flowlite")
	}
	abs, err := filepath.Abs(c.Home)
	if err != nil {
		return core.Errorf(core.EInvalid, "home folder %s: %w", c.Home, err)
	}
	c.Home = abs
	if c.DatabaseURL == "" {
		c.DatabaseURL = "sqlite:" + filepath.Join(c.Home, "flowlite.db")
	}
	if err := c.checkServers(); err != nil {
		return err
	}
	if c.WorkDir == "" {
		c.WorkDir, _ = os.Getwd()
	}
	if c.BasePath = strings.TrimRight(c.BasePath, "/"); c.BasePath != "" && !basePath.MatchString(c.BasePath) {
		return core.Errorf(
			core.EInvalid,
			"the base path %q must be a path like /flowlite, of letters, digits and - . _ ~",
			core.HideURL(c.BasePath),
		)
	}
	if err := c.checkPublicURL(); err != nil {
		return err
	}
	if user, password, _ := strings.Cut(c.AuthString, ":"); c.AuthString != "" && (user == "" || password == "") {
		return core.Errorf(
			core.EInvalid,
			"the auth string must be user:password, neither of them empty; set %s to admin:<password>",
			c.setting("AuthString"),
		)
	}
	for _, origin := range c.AllowedOrigins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return core.Errorf(core.EInvalid, "the allowed origin %q must be scheme and host, such as https://app.example.com", core.HideURL(origin))
		}
	}
	if _, err := access.ParseProxies(c.TrustedProxies); err != nil {
		return err
	}
	if _, err := notify.ParsePrivate(c.PrivateURLs); err != nil {
		return core.Errorf(core.EInvalid, "private URLs: %w", err)
	}
	if !c.NoListen && !access.Loopback(c.Host) && c.AuthString == "" && c.Identity == nil && !c.NoAuth {
		return core.Errorf(
			core.EInvalid,
			"refusing to serve %s without credentials: anyone who reaches it could run code here; set %s to user:password, or pass %s",
			core.HideURL(c.Host), c.setting("AuthString"), c.setting("NoAuth"),
		)
	}
	return nil
}

func (c *Config) checkPublicURL() error {
	if c.PublicURL = strings.TrimRight(c.PublicURL, "/"); c.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return core.Errorf(
			core.EInvalid,
			"the public URL %q must be like https://flows.example.com or https://example.com/flowlite",
			core.HideURL(c.PublicURL),
		)
	}
	return nil
}

var basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// checkServers refuses what only makes sense with, or without, other servers.
func (c *Config) checkServers() error {
	if c.Redis != nil {
		if c.Postgres == nil && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
			return core.Errorf(
				core.EInvalid,
				"Redis joins the servers of a Postgres database, and a SQLite file has only one server; leave %s out, or set %s to postgres://...",
				c.setting("Redis"), c.setting("DatabaseURL"),
			)
		}
		if err := c.Redis.Check(); err != nil {
			return err
		}
	}
	if c.NoAPI && c.Worker {
		return core.Errorf(
			core.EInvalid,
			"the runs of this process's worker talk to its own API; let --roles have api, or run `flowlite worker start --api URL`",
		)
	}
	return nil
}
