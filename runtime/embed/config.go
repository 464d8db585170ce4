package embed

import (
	"database/sql"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/retention"
	"github.com/flowlite/flowlite/runtime/server"
	"github.com/flowlite/flowlite/runtime/template"
)

// Config of an App. The zero value serves API and UI on 127.0.0.1:4200 over the
// SQLite file in ~/.flowlite, and executes the runs of the work pool "default".
type Config struct {
	Host string // default 127.0.0.1
	Port int    // default 4200; -1 takes any free one
	// NoListen opens no port: only [App.Handler] serves API and UI. Runs that need a
	// process of their own, such as those of Python flows, wait for another worker.
	NoListen bool

	DatabaseURL string // "sqlite:FILE" or "postgres://…"; default: flowlite.db in Home
	// Pool or DB is the program's own database, whose transactions start runs with
	// Flow.StartTx. On PostgreSQL, it stores what the App has, in Schema. DB has the driver
	// of pgx (stdlib) or of modernc.org/sqlite. A SQLite database gets one table,
	// flowlite_start; what the App has is in the file of DatabaseURL, because SQLite
	// has no schemas and one writer at a time. The App makes connections of its own as
	// Pool or DB makes them, at most as many again and four. It closes neither.
	Pool *pgxpool.Pool
	DB   *sql.DB
	// Schema has the App's tables in a PostgreSQL database. Start and Migrate create it.
	// Default: "flowlite" with Pool or DB, and the first schema of the search path
	// with DatabaseURL.
	Schema string

	// Redis connects the servers of a PostgreSQL database: redisbus.At("redis://host"), of
	// package runtime/bus/redisbus. Default: they use the database, and the Redis client
	// is not linked.
	Redis server.Redis
	Home  string // directory of data, results, and keys; default: $HOME/.flowlite

	AuthString string // "user:password" that every request must carry
	NoAuth     bool   // serve other machines without credentials
	// Identity names the person who sends a request, or reports false, which is answered
	// with 401. With it, a request of [App.Handler] may have any Host. The name is
	// that of the creator of runs. Requests with AuthString need no Identity. It must
	// look at what only the person has, such as a session, and not at the client's
	// address alone: any web page that a person opens could send such requests.
	Identity func(r *http.Request) (name string, ok bool)
	CSRF     bool // requests that change something must carry a token
	// EncryptionKey encrypts secrets and other blocks: 32 bytes as base64 or hex,
	// followed by earlier keys after commas. Default: the file encryption.key in
	// Home, which the first start creates.
	EncryptionKey string
	// AllowedHosts are names, besides those of Host and PublicURL, under which the
	// App answers; others get 421. ".example.com" stands for every name below it,
	// "*" for all.
	AllowedHosts []string
	// AllowedOrigins are web pages of other origins that may call the API:
	// "https://app.example.com".
	AllowedOrigins []string
	// TrustedProxies are addresses and prefixes of reverse proxies whose header
	// X-Forwarded-For names the client. Default: with PublicURL, loopback and private
	// addresses, which then share a bound on wrong credentials; else none.
	TrustedProxies []string
	// PrivateURLs are host names, addresses, and prefixes of private networks that
	// notifications and webhooks may reach; "*" is all. Public addresses need none.
	PrivateURLs []string
	// BasePath is the path under which a reverse proxy or the mux of the program
	// serves the App: "/flows".
	BasePath string
	// PublicURL begins the links in notifications: "https://flows.example.com".
	// Default: the address listened on, with BasePath.
	PublicURL string

	Retain Retention // how long history is kept

	// WorkPool is where the App's flows are deployed and its worker takes runs from.
	// Start creates it. Default: "default", and no move of deployments that exist.
	WorkPool string
	// Prune lets Start pause deployments of WorkPool that the flows given to New no longer
	// declare. One that is declared again resumes; one that a person paused stays paused.
	// Use it where one program alone has flows in the pool. Deployments with code
	// elsewhere, such as Python flows, are left alone.
	Prune       bool
	Queues      []string // of the pool that the worker takes runs from; default: all
	WorkerLimit int      // runs at once; 0: no limit
	WorkDir     string   // what entrypoints of other deployments of the pool are relative to; default: the current directory
	Python      string   // interpreter of Python flows in the pool; default: that of their directory
	RunAs       string   // system user of the processes of other deployments' flows; Linux, for a program of root
	NoFork      bool     // each Python run is a process of its own, without a preloaded interpreter
	NoServices  bool     // another server does the scheduling and the expiry of leases
	NoUI        bool

	// Templates renders texts with {{ }} in automations and parameters: jinja.New(), of
	// package runtime/template/jinja. Default: such texts are refused, and the library for
	// Jinja is not linked.
	Templates template.Engine
	// Notifications sends to Slack, PagerDuty, mail, and other services: shoutrrr.New(), of
	// package runtime/notify/shoutrrr. Default: automations can call webhooks alone.
	Notifications notify.Sender

	// Meter counts what the App does: metrics.New, of package runtime/metrics, exports
	// it to Prometheus. Default: nothing is counted, and Prometheus is not linked.
	Meter server.Meter
	// MetricsAddr is an address of its own for /metrics, without credentials:
	// "127.0.0.1:9464". Default: the App's address, with its credentials.
	MetricsAddr string

	Version    string        // of the program, shown in the UI
	Logger     *slog.Logger  // default: slog.Default()
	DrainGrace time.Duration // how long Stop lets runs finish; default 10 s
}

// Retention is how long history is kept. Zero is the default, negative forever.
type Retention struct {
	Runs   time.Duration // after a run's end, with all that belongs to it; default 90 days
	Events time.Duration // default 7 days
	Logs   time.Duration // also of runs that have not ended; default 90 days
}

func (c Config) server() server.Config {
	return server.Config{
		Host: c.Host, Port: c.Port, DatabaseURL: c.DatabaseURL, Redis: c.Redis, Home: c.Home, Embedded: true, NoListen: c.NoListen,
		Identity: c.Identity, Pool: c.WorkPool, MakePool: c.WorkPool != "", Queues: c.Queues,
		AuthString: c.AuthString, NoAuth: c.NoAuth, CSRF: c.CSRF, EncryptionKey: c.EncryptionKey,
		AllowedHosts: c.AllowedHosts, AllowedOrigins: c.AllowedOrigins,
		TrustedProxies: c.TrustedProxies, PrivateURLs: c.PrivateURLs,
		BasePath: c.BasePath, PublicURL: c.PublicURL, Retain: retention.Periods(c.Retain),
		Worker: true, WorkerLimit: c.WorkerLimit, WorkDir: c.WorkDir, Python: c.Python, RunAs: c.RunAs, NoFork: c.NoFork,
		NoLoops: c.NoServices, NoUI: c.NoUI, Templates: c.Templates, Notifications: c.Notifications, Meter: c.Meter, MetricsAddr: c.MetricsAddr,
		Version: c.Version, Log: c.Logger, DrainGrace: c.DrainGrace,
	}
}
