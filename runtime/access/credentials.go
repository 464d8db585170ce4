package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config of a Guard.
type Config struct {
	AuthString string // user:password; empty: no credentials are asked for
	// BehindProxy takes the address of a client from X-Forwarded-For, whose last
	// entry the proxy writes. Without a proxy a client could write it itself.
	BehindProxy bool
	Log         *slog.Logger // nil: slog.Default
}

// Guard checks credentials. A nil Guard asks for none.
type Guard struct {
	want        [sha256.Size]byte
	behindProxy bool
	guesses     *guesses
}

// New returns nil, which asks for no credentials, if c has none.
func New(c Config) *Guard {
	if c.AuthString == "" {
		return nil
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Guard{want: sha256.Sum256([]byte(c.AuthString)), behindProxy: c.BehindProxy, guesses: newGuesses(c.Log)}
}

// Asks says whether credentials are needed at all.
func (g *Guard) Asks() bool { return g != nil }

// Request checks the header Authorization, basic or bearer. It returns EUnauth if
// that is missing or wrong, and ETooMany, without looking, if the client's address
// has been wrong too often.
func (g *Guard) Request(r *http.Request) error {
	if g == nil {
		return nil
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given = strings.TrimSpace(given)
	switch strings.ToLower(scheme) {
	case "":
		return core.Errorf(core.EUnauth, "credentials missing")
	case "basic":
		raw, err := base64.StdEncoding.DecodeString(given)
		if err != nil {
			raw = nil
		}
		return g.Token(r, string(raw))
	}
	return g.Token(r, given)
}

// Token checks a text that r brought elsewhere than in its header, such as in the
// first frame of a websocket. Its errors are those of Request.
func (g *Guard) Token(r *http.Request, token string) error {
	if g == nil {
		return nil
	}
	address := g.address(r)
	if wait := g.guesses.wait(address); wait > 0 {
		return &core.Error{Code: core.ETooMany, RetryAfter: wait.Seconds(),
			Message: "too many wrong credentials from this address; try again later"}
	}
	got := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(got[:], g.want[:]) != 1 {
		g.guesses.wrong(address)
		return core.Errorf(core.EUnauth, "credentials wrong")
	}
	return nil
}
