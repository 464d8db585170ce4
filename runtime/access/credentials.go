package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config of a Guard.
type Config struct {
	AuthString string // user:password; empty: no credentials are asked for
	// Identity names the person who sends a request without such credentials, or
	// reports false for an unknown person. Nil: every person is unknown.
	Identity func(*http.Request) (name string, ok bool)
	// BehindProxy takes the address of a client from X-Forwarded-For if the request
	// comes from a proxy: from one of Proxies, or if that is empty, from a loopback
	// or private address. Others could write the header themselves.
	BehindProxy bool
	Proxies     []netip.Prefix
	// Runs knows the credentials of flow runs, and HasRun whether a run still has
	// those that it got with a lease. A nil Runs knows none.
	Runs   *RunKey
	HasRun func(ctx context.Context, run, lease core.UUID) (bool, error)
	Log    *slog.Logger // nil: slog.Default
}

// Guard checks credentials. A nil Guard asks for none.
type Guard struct {
	password    bool // want is set
	want        [sha256.Size]byte
	identity    func(*http.Request) (string, bool)
	behindProxy bool
	proxies     []netip.Prefix
	guesses     *guesses // of clients
	relayed     *guesses // of proxies that nobody named: anyone may stand there
	strangers   strangers
	key         *RunKey
	runs        *runs
}

// New returns nil, which asks for no credentials, if c has none.
func New(c Config) *Guard {
	if c.AuthString == "" && c.Identity == nil {
		return nil
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Guard{password: c.AuthString != "", want: sha256.Sum256([]byte(c.AuthString)), identity: c.Identity,
		behindProxy: c.BehindProxy, proxies: c.Proxies,
		guesses: newGuesses(c.Log, burst, refill), relayed: newGuesses(c.Log, relayedBurst, relayedRefill),
		strangers: strangers{by: map[netip.Addr]int{}},
		key:       c.Runs, runs: &runs{has: c.HasRun, now: time.Now, known: map[Caller]held{}}}
}

// Asks says whether credentials are needed at all.
func (g *Guard) Asks() bool { return g != nil }

// Prompts reports whether a browser may ask its user for a user name and a password.
func (g *Guard) Prompts() bool { return g != nil && g.password }

// Request checks the header Authorization, basic or bearer, and says whose it is.
// If Config has an Identity, that decides first, except on the credentials of a
// flow run. A password that Identity does not know is a guess like any other.
// It returns EUnauth if that is missing or wrong or of a flow run that has ended,
// and ETooMany, without looking, if the client's address has been wrong too often.
func (g *Guard) Request(r *http.Request) (Caller, error) {
	if g == nil {
		return Caller{}, nil
	}
	token, header := given(r), r.Header.Get("Authorization") != ""
	if g.identity != nil && !g.ofRun(token) { // what a run sends is never a person's
		if name, ok := g.identity(r); ok {
			return Caller{Name: name}, nil
		}
		if !header || !g.password {
			return Caller{}, core.Errorf(core.EUnauth, "the caller is unknown")
		}
	}
	if !header {
		return Caller{}, core.Errorf(core.EUnauth, "credentials missing")
	}
	return g.Token(r, token)
}

func (g *Guard) ofRun(token string) bool {
	_, run := g.key.caller(token)
	return run
}

func (g *Guard) isPassword(token string) bool {
	got := sha256.Sum256([]byte(token))
	return g.password && subtle.ConstantTimeCompare(got[:], g.want[:]) == 1
}

// given returns what the header Authorization has, decoded if it is basic.
func given(r *http.Request) string {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	text = strings.TrimSpace(text)
	if !strings.EqualFold(scheme, "basic") {
		return text
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(raw)
}

// Token checks a text that r brought elsewhere than in its header, such as in the
// first frame of a websocket. What it returns is that of Request.
func (g *Guard) Token(r *http.Request, token string) (Caller, error) {
	if g == nil {
		return Caller{}, nil
	}
	// Those of a run cannot be guessed, and a guesser beside it must not stop it.
	if c, ok := g.key.caller(token); ok {
		return c, g.runs.check(r.Context(), c)
	}
	client, peer := g.address(r)
	if err := g.throttled(client, peer); err != nil {
		return Caller{}, err
	}
	if g.isPassword(token) {
		return Caller{}, nil
	}
	g.wrong(client, peer)
	return Caller{}, core.Errorf(core.EUnauth, "credentials wrong")
}

// Check returns EUnauth if the caller's credentials have ended since Request
// returned it, for connections that last.
func (g *Guard) Check(ctx context.Context, c Caller) error {
	if g == nil || !c.IsRun() {
		return nil
	}
	return g.runs.check(ctx, c)
}
