package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Headers of a changing request where CSRF protection is on.
const (
	CSRFToken  = "Prefect-Csrf-Token"
	CSRFClient = "Prefect-Csrf-Client"

	csrfLife = time.Hour
)

// csrf makes tokens that need not be kept: each names its end and is sealed
// with a key that all servers on a database share.
type csrf struct{ key []byte }

// newCSRF without a key takes one of this process: then clients ask for a new
// token after each restart.
func newCSRF(key []byte) *csrf {
	if len(key) == 0 {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
	}
	return &csrf{key}
}

// token is the hex of a seal over the client and the end, after the end.
func (c *csrf) token(client string, end core.Time) string {
	head := strconv.FormatInt(int64(end), 16)
	mac := hmac.New(sha256.New, c.key)
	_, _ = mac.Write([]byte(head + " " + client))
	return head + hex.EncodeToString(mac.Sum(nil))
}

func (c *csrf) valid(token, client string, now core.Time) bool {
	seal := hex.EncodedLen(sha256.Size)
	if len(token) <= seal {
		return false
	}
	end, err := strconv.ParseInt(token[:len(token)-seal], 16, 64)
	if err != nil || core.Time(end) < now {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(token), []byte(c.token(client, core.Time(end)))) == 1
}

// csrfToken: clients ask before their first write. While protection is off,
// they take this answer, and hardly any other, for "not needed".
func (a *API) csrfToken(_ context.Context, in *struct {
	Client string `query:"client"`
}) (*csrfAnswer, error) {
	if a.csrf == nil {
		return nil, core.Errorf(core.EInvalid, "CSRF protection is disabled.")
	}
	if in.Client == "" {
		return nil, missingQuery("client")
	}
	now := core.Now()
	end := now.Add(csrfLife)
	return &csrfAnswer{
		ID:         core.NewID(),
		Created:    now,
		Updated:    now,
		Token:      a.csrf.token(in.Client, end),
		Client:     in.Client,
		Expiration: end,
	}, nil
}

type csrfAnswer struct {
	ID         core.UUID `json:"id"`
	Created    core.Time `json:"created"`
	Updated    core.Time `json:"updated"`
	Token      string    `json:"token"`
	Client     string    `json:"client"`
	Expiration core.Time `json:"expiration"`
}

// refuseForged answers a changing request that carries no token of its client.
// Clients fetch a new token when the text says that theirs is invalid.
func (a *API) refuseForged(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return false
	}
	token, client := r.Header.Get(CSRFToken), r.Header.Get(CSRFClient)
	switch {
	case token == "":
		writeDetail(w, http.StatusForbidden, "Missing CSRF token.")
	case client == "":
		writeDetail(w, http.StatusForbidden, "Missing client identifier.")
	case !a.csrf.valid(token, client, core.Now()):
		writeDetail(w, http.StatusForbidden, "Invalid CSRF token or client identifier.")
	default:
		return false
	}
	return true
}
