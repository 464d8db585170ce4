package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/flowlite/flowlite/runtime/core"
)

// csrf is the token of a server that protects against forged requests. It is
// asked for when the server first refuses a request for want of it.
type csrf struct {
	client string
	token  atomic.Pointer[string]
}

// renewed marks a request that is repeated with a new token: it is not repeated again.
type renewed struct{}

// renew has a token other than the one that was refused.
func (c *csrf) renew(ctx context.Context, of *Client, server, had string) bool {
	if t := c.token.Load(); t != nil && *t != had {
		return true // somebody else has renewed it meanwhile
	}
	resp, err := of.do(ctx, server, request{method: http.MethodGet, path: "/csrf-token?client=" + c.client})
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var answer struct {
		Token string `json:"token"`
	}
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(b, &answer) != nil || answer.Token == "" {
		return false
	}
	c.token.Store(core.Ptr(answer.Token))
	return true
}
