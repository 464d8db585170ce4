package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// askBrowser guards what people open: the same auth string as the API's, asked
// for by the browser's own prompt. The API asks for itself, since some of its
// websockets bring the string in their first frame.
func askBrowser(auth string, next http.Handler) http.Handler {
	if auth == "" {
		return next
	}
	want := sha256.Sum256([]byte(auth))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if allowed(r, want) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="flowlite", charset="UTF-8"`)
		http.Error(w, "Log in with the user and password of FLOWLITE_AUTH_STRING.", http.StatusUnauthorized)
	})
}

func allowed(r *http.Request, want [sha256.Size]byte) bool {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return false
	}
	given, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return false
	}
	got := sha256.Sum256(given)
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
