package api

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// TokenHeader carries the fencing token of a leased run.
const TokenHeader = "Flowlite-Run-Token"

// ServeHTTP is one plain function, not a stack of wrappers: it is on the road
// of every request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
			a.log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			writeJSON(w, http.StatusInternalServerError, exception("Internal Server Error"))
		}
	}()
	if origin := r.Header["Origin"]; len(origin) > 0 && !a.admit(w, r) {
		return
	}
	if a.AuthString != "" && !a.authorized(r) {
		writeJSON(w, http.StatusUnauthorized, exception("Unauthorized"))
		return
	}
	if a.csrf != nil && a.refuseForged(w, r) {
		return
	}
	if v := r.Header["X-Prefect-Api-Version"]; len(v) > 0 && !supported(v[0]) {
		writeDetail(w, http.StatusBadRequest, "The header X-PREFECT-API-VERSION must be a version of at least 0.8.0, not "+strconv.Quote(v[0])+"; upgrade the client")
		return
	}
	if t := r.Header[TokenHeader]; len(t) > 0 {
		token, err := core.ParseUUID(t[0])
		if err != nil {
			writeDetail(w, http.StatusBadRequest, "The header "+TokenHeader+" is not a UUID")
			return
		}
		r = r.WithContext(core.WithRunToken(r.Context(), token))
	}
	a.mux.ServeHTTP(w, r)
}

// admit decides on requests that a browser sends. Where a login is needed, a
// page of any origin may ask, as with the peer: it must know the auth string,
// which no browser adds to a request that was asked for first. A POST that
// needs no such asking could ride on the login that the browser remembers, so
// it must come from our own pages; and so must everything where no login is
// needed, else any web page could drive a server on loopback.
func (a *API) admit(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	if a.AuthString != "" {
		h.Set("Access-Control-Allow-Origin", "*")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
			h.Set("Vary", "Origin")
			if want := r.Header.Get("Access-Control-Request-Headers"); want != "" {
				h.Set("Access-Control-Allow-Headers", want)
			}
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusOK)
			return false
		}
		if r.Method != http.MethodPost || isJSON(r.Header.Get("Content-Type")) && r.Header.Get("Content-Type") != "" {
			return true
		}
	}
	if err := a.origins.Check(r); err != nil {
		writeDetail(w, http.StatusForbidden, "Refused: the request comes from a web page of another origin ("+r.Header.Get("Origin")+")")
		return false
	}
	return true
}

// authorized: health and readiness are open, as are the websockets, which ask
// for the token in their first frame.
func (a *API) authorized(r *http.Request) bool {
	path := r.URL.Path
	if path == "/api/health" || path == "/api/ready" || r.Header.Get("Upgrade") != "" && isSocket(path) {
		return true
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(given))
		return err == nil && a.isToken(string(raw))
	case "bearer":
		return a.isToken(strings.TrimSpace(given))
	}
	return false
}

func (a *API) isToken(s string) bool {
	return a.AuthString == "" || subtle.ConstantTimeCompare([]byte(s), []byte(a.AuthString)) == 1
}

// supported: three numbers, at least 0.8.0.
func supported(v string) bool {
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return false
	}
	var n [3]int
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 {
			return false
		}
	}
	return n[0] > 0 || n[1] >= 8
}

func cloneURL(r *http.Request, path string) *url.URL {
	u := *r.URL
	u.Path, u.RawPath = path, ""
	return &u
}

// gone: the client went away, nobody reads the answer. A server that stops
// ends requests with another cause.
func gone(ctx context.Context) bool { return errors.Is(context.Cause(ctx), context.Canceled) }
