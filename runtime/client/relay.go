package client

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/core"
)

// Relay is an address on this machine for a client that knows one server and
// gives it up soon, as Prefect's does: what is sent there reaches the first of
// the servers that answers, and waits for one while none does.
type Relay struct {
	servers  []*url.URL
	at       atomic.Int32 // index of the one in use
	patience time.Duration
	next     http.RoundTripper

	mu  sync.Mutex
	srv *http.Server
	url string
}

const (
	relayPatience = 20 * time.Second // clients ask again by themselves after a 503
	relayPause    = 200 * time.Millisecond
	relayKept     = 8 << 20 // bytes of a request that are kept to send it again
)

// NewRelay is for servers as Config.URL lists them. It does nothing before Start.
func NewRelay(servers string) (*Relay, error) {
	r := &Relay{patience: relayPatience, next: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 5 * time.Second,
	}}
	for _, s := range Servers(servers) {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return nil, core.Errorf(core.EInvalid, "the API URL %q must be like http://host:4200/api", core.HideURL(s))
		}
		r.servers = append(r.servers, u)
	}
	return r, nil
}

// Start listens on a free port of the loopback.
func (r *Relay) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.srv != nil {
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return core.Errorf(core.EUnavailable, "relay: %w", err)
	}
	silent := log.New(io.Discard, "", 0) // what goes wrong is answered with 503
	r.url = "http://" + l.Addr().String() + "/api"
	// A server that asks for no credentials knows friends by the Host of a request,
	// which is its own once it has come through here.
	own := access.NewHosts("127.0.0.1", "", false)
	r.srv = &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: silent, Handler: own.Handler(&httputil.ReverseProxy{
		Rewrite:       func(*httputil.ProxyRequest) {}, // the server is chosen for each try
		Transport:     r,
		FlushInterval: -1, // streams
		ErrorLog:      silent,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Retry-After", "1")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write(core.ToJSON(map[string]string{"detail": "no server can be reached: " + core.HideCredentials(err.Error())}))
		},
	})}
	go func() { _ = r.srv.Serve(l) }()
	return nil
}

// URL is empty before Start.
func (r *Relay) URL() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

// Stop ends also what is under way: the runs that used it have ended.
func (r *Relay) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.srv == nil {
		return nil
	}
	return r.srv.Close()
}

// RoundTrip tries the servers in turn while a request cannot have arrived, or
// is answered with 503, after which the client would send it again itself.
func (r *Relay) RoundTrip(req *http.Request) (*http.Response, error) {
	body, rest, err := keep(req.Body)
	if err != nil {
		return nil, err
	}
	end := time.NewTimer(r.patience)
	defer end.Stop()
	for try := 1; ; try++ {
		at := r.at.Load()
		one := req.Clone(req.Context())
		one.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), rest))
		if req.ContentLength == 0 && len(body) == 0 {
			one.Body = http.NoBody
		}
		address(one, r.servers[at])
		res, err := r.next.RoundTrip(one)
		again := rest == http.NoBody && (res != nil && res.StatusCode == http.StatusServiceUnavailable || err != nil && unsent(err))
		if !again {
			return res, err
		}
		r.at.CompareAndSwap(at, (at+1)%int32(len(r.servers)))
		if try < len(r.servers) {
			drop(res)
			continue
		}
		select {
		case <-req.Context().Done():
			return res, err
		case <-end.C:
			return res, err
		case <-time.After(relayPause):
			drop(res)
		}
	}
}

// keep reads a body so that it can be sent again; of one that is too long, what
// was read and the rest.
func keep(body io.ReadCloser) (kept []byte, rest io.Reader, err error) {
	if body == nil || body == http.NoBody {
		return nil, http.NoBody, nil
	}
	kept, err = io.ReadAll(io.LimitReader(body, relayKept))
	if err != nil {
		return nil, nil, err
	}
	if len(kept) < relayKept {
		return kept, http.NoBody, nil
	}
	return kept, body, nil
}

// address sends a request to a server; "/api" is what the relay's URL ends in.
func address(req *http.Request, to *url.URL) {
	req.URL.Scheme, req.URL.Host, req.Host = to.Scheme, to.Host, to.Host
	req.URL.Path = to.Path + strings.TrimPrefix(req.URL.Path, "/api")
	if req.URL.RawPath != "" {
		req.URL.RawPath = to.EscapedPath() + strings.TrimPrefix(req.URL.RawPath, "/api")
	}
}

func drop(res *http.Response) {
	if res != nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
		_ = res.Body.Close()
	}
}
