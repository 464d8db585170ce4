package api

import (
	"context"
	"net/http"
	"time"
)

func (a *API) root() group {
	return group{"", []op{
		get("/health", func(context.Context, *struct{}) (bool, error) { return true, nil }, open),
		plain("GET", "/ready", http.StatusOK, a.ready, open),
		get("/hello", func(context.Context, *struct{}) (string, error) { return "👋", nil }).runs(),
		get("/version", func(context.Context, *struct{}) (string, error) { return "0.8.4", nil }).runs(),
		get("/csrf-token", a.csrfToken).runs(),
	}}
}

type readiness struct {
	Message string   `json:"message"`
	Reasons []string `json:"reasons,omitempty"`
	Details any      `json:"details,omitempty"`
}

// ready says whether work can be taken on, and if not, why.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	out, status := readiness{Message: "OK"}, http.StatusOK
	if a.Health != nil {
		out.Details = a.Health()
	}
	if err := a.store.Ping(ctx); err != nil {
		out.Message, status = "Not ready", http.StatusServiceUnavailable
		out.Reasons = append(out.Reasons, "The database does not answer: "+err.Error())
	}
	writeJSON(w, status, out)
}
