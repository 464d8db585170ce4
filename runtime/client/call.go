package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

func basic(auth string) string { return base64.StdEncoding.EncodeToString([]byte(auth)) }

func (c *Client) get(ctx context.Context, path string, out any) error {
	return c.call(ctx, "GET", path, nil, out)
}

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	return c.call(ctx, "POST", path, in, out)
}

// call sends in as JSON and reads the answer into out (nil: not wanted).
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return core.Errorf(core.EInvalid, "The request cannot be written as JSON: %w", err)
		}
	}
	b, err := c.send(ctx, request{method, path, "application/json", body, repeatable(method, path, in)})
	if err != nil || out == nil {
		return err
	}
	if err := core.Unmarshal(b, out); err != nil {
		return core.Errorf(
			core.EInternal,
			"%s answered %s %s with something else than expected (is it a flowlite server?): %w",
			core.HideURL(c.URL()),
			method,
			path,
			err,
		)
	}
	return nil
}

// Raw answers the API's own JSON: what `-o json` prints.
func (c *Client) Raw(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	return c.send(ctx, request{method, path, "application/json", b, repeatable(method, path, body)})
}

// request is one call of the server, sent as often as it takes.
type request struct {
	method, path, contentType string
	body                      []byte
	repeatable                bool // done twice is as good as done once
}

// send tries until the server answers with something else than "not now", or
// patience ends.
func (c *Client) send(ctx context.Context, r request) ([]byte, error) {
	until := time.Now().Add(c.patience)
	pauses := backoff.Pauses{First: 50 * time.Millisecond, Limit: 2 * time.Second}
	others := len(c.servers) - 1
	for {
		b, again, err := c.once(ctx, r)
		if err == nil || !again || ctx.Err() != nil {
			return b, err
		}
		if others > 0 { // one of the others may answer at once
			others--
			continue
		}
		others = len(c.servers) - 1
		wait := pauses.Next()
		if time.Now().Add(wait).After(until) {
			return b, err
		}
		var e *core.Error
		if errors.As(err, &e) && e.RetryAfter > 0 {
			wait = min(time.Duration(e.RetryAfter*float64(time.Second)), time.Until(until))
		}
		if backoff.Sleep(ctx, wait) != nil {
			return nil, ctx.Err()
		}
	}
}

// attempt bounds a request where there is another server to ask, so that one
// that is frozen is left in time.
func (c *Client) attempt(ctx context.Context, path string, body []byte) (context.Context, context.CancelFunc) {
	if len(c.servers) == 1 {
		return context.WithCancel(ctx)
	}
	d := 15*time.Second + time.Duration(len(body)>>10)*10*time.Millisecond
	switch last, _, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], "?"); last {
	case "renew", "heartbeat":
		d = 4 * time.Second // a lease lives for 10 s
	case "poll", "wait":
		d = 45 * time.Second // it answers after 30 s at the latest
	}
	return context.WithTimeoutCause(ctx, d, errSilent)
}

var errSilent = errors.New("it has not answered in time")

// userAgent tells servers that nil slices and maps are not sent as null, as those
// of other Go programs are.
var userAgent = []string{"flowlite"}

func (c *Client) do(ctx context.Context, server string, req request) (*http.Response, error) {
	if c.wrong != nil {
		return nil, c.wrong
	}
	var reader io.Reader
	if req.body != nil {
		reader = bytes.NewReader(req.body)
	}
	r, err := http.NewRequestWithContext(ctx, req.method, server+req.path, reader)
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "%s cannot be asked of %s: %s", req.path, core.HideURL(server), core.URLFault(server, err))
	}
	r.Header["User-Agent"] = userAgent
	if req.body != nil {
		r.Header["Content-Type"] = []string{req.contentType}
	}
	if c.auth != "" {
		r.Header["Authorization"] = []string{c.auth}
	}
	if t := core.RunToken(ctx); !t.IsZero() {
		r.Header["Flowlite-Run-Token"] = []string{t.String()}
	}
	if t := c.csrf.token.Load(); t != nil {
		r.Header["Prefect-Csrf-Token"], r.Header["Prefect-Csrf-Client"] = []string{*t}, []string{c.csrf.client}
	}
	return c.http.Do(r)
}

func (c *Client) once(ctx context.Context, r request) (_ []byte, again bool, _ error) {
	server := c.URL()
	attempt, done := c.attempt(ctx, r.path, r.body)
	defer done()
	resp, err := c.do(attempt, server, r)
	if err != nil {
		if ctx.Err() == nil {
			c.leave(server)
		}
		return nil, unsent(err) || r.repeatable, c.unreachable(ctx, server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		if ctx.Err() == nil {
			c.leave(server)
		}
		return nil, r.repeatable, c.unreachable(ctx, server, err)
	}
	if had := resp.Request.Header.Get(
		"Prefect-Csrf-Token",
	); resp.StatusCode == http.StatusForbidden && strings.Contains(string(b), "CSRF token") &&
		ctx.Value(renewed{}) == nil &&
		c.csrf.renew(ctx, c, server, had) {
		return c.once(context.WithValue(ctx, renewed{}, true), r)
	}
	if resp.StatusCode >= 300 {
		switch resp.StatusCode {
		case http.StatusTooManyRequests:
			again = true
		case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable:
			// The answer of a proxy, or of a server that stops: the request may have been done.
			again = r.repeatable
			c.leave(server)
		}
		return nil, again, c.failure(resp, server, b)
	}
	return b, false, nil
}

// unsent: no connection was made, so nothing was done.
func unsent(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// repeatable: done twice is as good as done once. After a break nobody knows
// whether a request was done, so others are not sent again.
func repeatable(method, path string, body any) bool {
	if method != "POST" {
		return true
	}
	switch body := body.(type) {
	case core.FlowRunCreate:
		return body.IdempotencyKey != nil
	case core.DeploymentFlowRunCreate:
		return body.IdempotencyKey != nil
	case map[string]any: // of Raw
		if key, _ := body["idempotency_key"].(string); key != "" {
			return true
		}
	case streamAppends, core.MessageCreate, core.MessageRequest, core.StatusSet, core.WebhookCreate:
		return true
	case stateChange:
		// Known by its transition, see SetFlowRunState. A failure may be answered
		// by a retry's state, which does not name the transition: a second one
		// would end the run.
		return body.State.Type != core.Failed && !body.Force
	}
	switch path {
	case "/events", "/flows/", "/task_runs/", "/deployments/": // known by id or key
		return true
	}
	switch path[strings.LastIndexByte(path, '/')+1:] {
	case "filter", "count", "heartbeat", "renew", "cancel":
		return true
	}
	return false
}

func (c *Client) unreachable(ctx context.Context, server string, err error) error {
	if e, ok := errors.AsType[*core.Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &core.Error{Code: core.EUnavailable, Message: "No server answers at " + core.HideURL(server) + ": " + Cause(err), Err: err}
}

// Cause is why a server could not be reached, in as few words as tell it.
func Cause(err error) string {
	if e, ok := errors.AsType[*core.Error](err); ok && e.Err != nil {
		err = e.Err
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok {
		return core.HideCredentials(dial.Err.Error())
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		if u.Timeout() {
			return errSilent.Error()
		}
		err = u.Err
	}
	if strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		return "it speaks http, not https"
	}
	return core.HideCredentials(err.Error())
}

// Silent tells that a server took the request and has not answered in time: it
// may do what was asked all the same.
func Silent(err error) bool { return Unreachable(err) && Cause(err) == errSilent.Error() }

// What answers, but not as the API does.
var (
	errNoAPI = errors.New("what answers there is no flowlite server")
	errTLS   = errors.New("it speaks https, not http")
)

// Unreachable tells that the server did not answer, or something else did;
// a server that says "not now" has answered.
func Unreachable(err error) bool {
	e, ok := errors.AsType[*core.Error](err)
	return ok && e.Code == core.EUnavailable && e.Err != nil
}

var codes = map[int]core.Code{
	http.StatusBadRequest: core.EBadRequest, http.StatusUnauthorized: core.EUnauth, http.StatusForbidden: core.EForbidden,
	http.StatusNotFound: core.ENotFound, http.StatusConflict: core.EConflict, http.StatusUnprocessableEntity: core.EInvalid,
	http.StatusRequestEntityTooLarge: core.EInvalid, http.StatusLocked: core.ELocked,
	http.StatusRequestTimeout: core.EUnavailable, http.StatusTooManyRequests: core.EUnavailable,
	http.StatusBadGateway: core.EUnavailable, http.StatusServiceUnavailable: core.EUnavailable,
}

// unknownRoute are the statuses of a program that is not a flowlite server.
var unknownRoute = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}

// failure turns an answer back into the error that the server had.
func (c *Client) failure(resp *http.Response, server string, b []byte) error {
	e, server := &core.Error{Code: core.EInternal}, core.HideURL(server)
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode == http.StatusBadRequest && kind != "application/json" &&
		bytes.Contains(b, []byte("HTTP request to an HTTPS server")):
		return core.Errorf(core.EUnavailable, "No answer from %s: %w", server, errTLS)
	case kind != "application/json" && slices.Contains(unknownRoute, resp.StatusCode):
		return core.Errorf(
			core.EUnavailable,
			"%s answered %s to %s %s: %w",
			server,
			resp.Status,
			resp.Request.Method,
			resp.Request.URL.Path,
			errNoAPI,
		)
	}
	if code, ok := codes[resp.StatusCode]; ok {
		e.Code = code
	}
	if resp.Header.Get("Flowlite-Error") == string(core.ELeaseLost) {
		e.Code = core.ELeaseLost
	}
	e.RetryAfter, _ = strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
	var body struct {
		Detail  any               `json:"detail"`
		Message string            `json:"exception_message"`
		Fields  []core.FieldError `json:"exception_detail"`
	}
	_ = core.Unmarshal(b, &body)
	e.Fields = body.Fields
	detail, _ := body.Detail.(string)
	switch {
	case len(e.Fields) > 0:
		for i, f := range e.Fields {
			if i > 0 {
				e.Message += "; "
			}
			if !strings.HasPrefix(f.Msg, "parameter ") { // that message names its place itself
				e.Message += place(f.Loc)
			}
			e.Message += f.Msg
		}
	case e.Code == core.EUnauth:
		e.Message = "The server at " + server + " asks for credentials, and none were given"
		if resp.Request.Header.Get("Authorization") != "" {
			e.Message = "The server at " + server + " refuses these credentials"
		}
	case detail != "":
		e.Message = detail
	case body.Message != "":
		e.Message = body.Message
	default:
		e.Message = fmt.Sprintf("%s answered %s to %s %s", server, resp.Status, resp.Request.Method, resp.Request.URL.Path)
	}
	return e
}

// place prints where in the body a field error is: "parameters.n: ".
func place(loc []any) string {
	s := ""
	for i, l := range loc {
		if i == 0 && l == "body" {
			continue
		}
		if s != "" {
			s += "."
		}
		s += fmt.Sprint(l)
	}
	if s != "" {
		s += ": "
	}
	return s
}
