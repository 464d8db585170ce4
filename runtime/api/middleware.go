package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/core"
)

// TokenHeader carries the fencing token of a leased run.
const TokenHeader = "Flowlite-Run-Token"

// nosniff: what people store is never taken for a page.
var nosniff = []string{"nosniff"}

// ServeHTTP is one plain function, not a stack of wrappers: it is on the road
// of every request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
			a.log.Error("request panicked", "method", r.Method, "path", shownPath(r), "panic", p, "stack", string(debug.Stack()))
			writeJSON(w, http.StatusInternalServerError, exception("Internal Server Error"))
		}
	}()
	w.Header()["X-Content-Type-Options"] = nosniff
	if len(r.Header["Origin"]) > 0 && !a.admit(w, r) {
		return
	}
	a.mux.ServeHTTP(w, r)
}

// enter asks for credentials, and for what else an operation needs before it looks
// at the request. Each operation goes through here, so that none is open unless its
// line in the table of routes says so.
func (a *API) enter(w http.ResponseWriter, r *http.Request, o *op) (*http.Request, bool) {
	if o.socket {
		r = r.WithContext(context.WithValue(r.Context(), socketKey{}, o))
	}
	if a.Access.Asks() && !o.open {
		caller, err := a.Access.Request(r)
		switch {
		case err == nil:
			ctx, err := a.call(r.Context(), r, o, caller)
			if err != nil {
				a.fail(w, r, o, nil, err)
				return r, false
			}
			if o.socket {
				ctx = context.WithValue(ctx, vouchedKey{}, true)
			}
			if o.socket || caller != (access.Caller{}) {
				r = r.WithContext(ctx)
			}
		case o.socket && r.Header.Get("Authorization") == "" && offers(r):
			// The greeting must bring them.
		default:
			a.refuse(w, r, err)
			return r, false
		}
	}
	if a.csrf != nil && !o.open && a.refuseForged(w, r) {
		return r, false
	}
	if v := r.Header["X-Prefect-Api-Version"]; len(v) > 0 && !supported(v[0]) {
		writeDetail(
			w,
			http.StatusBadRequest,
			"The header X-PREFECT-API-VERSION must be a version of at least 0.8.0, not "+strconv.Quote(v[0])+"; upgrade the client",
		)
		return r, false
	}
	if t := r.Header[TokenHeader]; len(t) > 0 {
		token, err := core.ParseUUID(t[0])
		if err != nil {
			writeDetail(w, http.StatusBadRequest, "The header "+TokenHeader+" is not a UUID")
			return r, false
		}
		r = r.WithContext(core.WithRunToken(r.Context(), token))
	}
	return r, true
}

// refuse answers a request without the right credentials.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *core.Error
	switch errors.As(err, &e); core.CodeOf(err) {
	case core.ETooMany:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter))))
		writeDetail(w, http.StatusTooManyRequests, e.Message)
	case core.EUnauth:
		writeJSON(w, http.StatusUnauthorized, exception("Unauthorized"))
	default:
		a.fail(w, r, &op{}, nil, err)
	}
}

type (
	vouchedKey struct{}
	socketKey  struct{} // the operation, which a greeting has to look at
)

// vouched says whether the header of a websocket's request had the right credentials,
// or none are asked for.
func vouched(r *http.Request) bool {
	ok, _ := r.Context().Value(vouchedKey{}).(bool)
	return ok
}

// admit decides on requests that a web page sends. Pages of other origins are
// refused, unless their origin is allowed: without credentials any page could drive
// a server on loopback, and a browser adds those that it remembers by itself.
func (a *API) admit(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if slices.Contains(a.Origins, origin) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
			if want := r.Header.Get("Access-Control-Request-Headers"); want != "" {
				h.Set("Access-Control-Allow-Headers", want)
			}
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusOK)
			return false
		}
		return true
	}
	if err := a.origins.Check(r); err != nil {
		writeDetail(
			w,
			http.StatusForbidden,
			"Refused: the request comes from a web page of another origin ("+origin+"); add it to the origins that the server allows",
		)
		return false
	}
	return true
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
