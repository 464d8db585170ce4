package page

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/flowlite/flowlite/views"
)

// ownForms refuses posts of other sites. A proxy may have given the request
// another Host; it then says which one the browser asked, in a header that no
// site can make a browser send.
func ownForms(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Host"), ",")
		origin, err := url.Parse(r.Header.Get("Origin"))
		if err == nil && origin.Host != "" && r.Header.Get("Sec-Fetch-Site") == "" && origin.Host == strings.TrimSpace(asked) {
			next.ServeHTTP(w, r)
			return
		}
		guard.ServeHTTP(w, r)
	})
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// server is the address that commands on the pages are to name; "" where the
// command line finds it by itself, or somebody made a strange host up.
func (k *Kit) server(r *http.Request) string {
	scheme, host := "http://", r.Host
	if proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ","); r.TLS != nil || strings.TrimSpace(proto) == "https" {
		scheme = "https://"
	}
	if h, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Host"), ","); h != "" {
		host = strings.TrimSpace(h)
	}
	at := scheme + host + k.BasePath
	if k.PublicURL != "" {
		at = k.PublicURL
	} else if !plainHost.MatchString(host) {
		return ""
	}
	if at == "http://127.0.0.1:4200" || at == "http://localhost:4200" {
		return ""
	}
	return at
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.\-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:.]+\](:[0-9]+)?$`)

// guard sets the headers of every answer, and serves under the base path.
func (k *Kit) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Vary", "HX-Request, Accept-Encoding, Cookie")
		r = r.WithContext(views.WithServer(r.Context(), k.BasePath, k.server(r)))
		if k.BasePath != "" {
			// a proxy may or may not cut its prefix off
			if p, ok := strings.CutPrefix(r.URL.Path, k.BasePath); ok && (p == "" || p[0] == '/') {
				c := *r.URL
				c.Path, c.RawPath = p, ""
				if p == "" {
					c.Path = "/"
				}
				r.URL = &c
			}
		}
		next.ServeHTTP(w, r)
	})
}
