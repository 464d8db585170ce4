package server

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/core"
)

// askBrowser guards what people open: the same credentials as the API's, asked for
// by the browser's own prompt. The API asks for itself, because some of its
// websockets bring them in their first frame.
func askBrowser(guard *access.Guard, setting string, next http.Handler) http.Handler {
	if !guard.Asks() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := guard.Request(r)
		var e *core.Error
		switch {
		case err == nil && caller.IsRun():
			http.Error(w, "The credentials of a flow run do not open the pages.", http.StatusForbidden)
		case err == nil && caller.Name != "":
			next.ServeHTTP(w, r.WithContext(core.WithPerson(r.Context(), caller.Name)))
		case err == nil:
			next.ServeHTTP(w, r)
		case errors.As(err, &e) && e.Code == core.ETooMany:
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter))))
			http.Error(w, "Too many wrong passwords from this address. Try again later.", http.StatusTooManyRequests)
		case core.CodeOf(err) == core.EUnavailable:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "The credentials cannot be checked now. Try again in a moment.", http.StatusServiceUnavailable)
		case !guard.Prompts():
			http.Error(w, "Log in to the program that serves these pages.", http.StatusUnauthorized)
		default:
			if r.Header.Get("Hx-Request") == "" { // an open page tells its reader, without the browser's prompt
				w.Header().Set("WWW-Authenticate", `Basic realm="flowlite", charset="UTF-8"`)
			}
			http.Error(w, "Log in with the user and password of "+setting+".", http.StatusUnauthorized)
		}
	})
}
