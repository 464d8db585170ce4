package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// statuses is the one table from error codes to HTTP.
var statuses = map[core.Code]int{
	core.EInvalid:     http.StatusUnprocessableEntity,
	core.EBadRequest:  http.StatusBadRequest,
	core.EUnauth:      http.StatusUnauthorized,
	core.ETooMany:     http.StatusTooManyRequests,
	core.EForbidden:   http.StatusForbidden,
	core.ENotFound:    http.StatusNotFound,
	core.EConflict:    http.StatusConflict,
	core.EGone:        http.StatusGone,
	core.ELocked:      http.StatusLocked,
	core.ELeaseLost:   http.StatusConflict,
	core.EUnavailable: http.StatusServiceUnavailable,
	core.EInternal:    http.StatusInternalServerError,
}

// ownWords is the model of an operation whose not-found is told in its own words.
const ownWords = "-"

// LeaseHeader tells our own client a lost lease from any other conflict.
const LeaseHeader = "Flowlite-Error"

// WarningHeader is set in the answer to a request that was done, but may not do
// what the client wants.
const WarningHeader = "Flowlite-Warning"

var (
	errNoRoute  = errors.New("path holds no such id")
	errTooLarge = errors.New("body too large")
)

type detailBody struct {
	Detail string `json:"detail"`
}

type exceptionBody struct {
	Message string `json:"exception_message"`
}

type validationBody struct {
	Message string            `json:"exception_message"`
	Detail  []core.FieldError `json:"exception_detail"`
	Body    json.RawMessage   `json:"request_body"`
}

func exception(message string) exceptionBody { return exceptionBody{message} }

func writeDetail(w http.ResponseWriter, status int, detail string) {
	writeJSON(w, status, detailBody{detail})
}

// fail answers an error: fields make the validation shape, an operation on a
// model (o.model) says exception_message where others say detail.
func (a *API) fail(w http.ResponseWriter, r *http.Request, o *op, body []byte, err error) {
	switch {
	case errors.Is(err, errNoRoute):
		writeDetail(w, http.StatusNotFound, "Not Found")
		return
	case errors.Is(err, errTooLarge):
		writeDetail(
			w,
			http.StatusRequestEntityTooLarge,
			"The request body is larger than "+strconv.FormatInt(o.limit()>>20, 10)+" MiB; send less at once",
		)
		return
	case gone(r.Context()):
		return
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		err = context.Cause(r.Context()) // the server stops, and the client still listens
	case errors.Is(err, context.DeadlineExceeded):
		err = core.Errorf(core.EUnavailable, "The server did not answer in time; try again: %w", err)
	}
	var e *core.Error
	if !errors.As(err, &e) {
		e = &core.Error{Code: core.EInternal, Err: err}
	}
	status, known := statuses[e.Code]
	if !known {
		status = http.StatusInternalServerError
	}
	switch {
	case status == http.StatusInternalServerError:
		a.log.Error("request failed", "method", r.Method, "path", shownPath(r), "error", err)
		writeJSON(w, status, exception("Internal Server Error"))
	case e.Code == core.EUnavailable:
		a.log.Warn("request not served", "method", r.Method, "path", shownPath(r), "error", err, "cause", e.Err)
		w.Header().Set("Retry-After", "1")
		writeJSON(w, status, exception(e.Message))
	case len(e.Fields) > 0:
		writeJSON(w, status, validationBody{"Invalid request received.", e.Fields, echo(body)})
	case e.Code == core.ENotFound && o.model == ownWords:
		writeJSON(w, status, exception(e.Error()))
	case e.Code == core.ENotFound && o.model != "":
		writeJSON(w, status, exception(o.model+" with id "+r.PathValue("id")+" not found"))
	default:
		if e.Code == core.ELocked && e.RetryAfter > 0 {
			w.Header().Set("Retry-After", floatText(e.RetryAfter))
		}
		if e.Code == core.ELeaseLost {
			w.Header().Set(LeaseHeader, string(e.Code))
		}
		writeDetail(w, status, e.Error())
	}
}

// echo is the request's body for the answer: as it is if it is JSON, else as a string.
func echo(body []byte) json.RawMessage {
	const most = 64 << 10
	switch {
	case len(body) == 0:
		return json.RawMessage("null")
	case len(body) <= most && json.Valid(body) && core.CheckJSON(body) == nil:
		return body
	case len(body) > most:
		body = body[:most]
	}
	b, _ := json.Marshal(strings.ToValidUTF8(string(body), "\uFFFD"))
	return b
}

// floatText prints 30 as 30.0: clients parse a float.
func floatText(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// invalid is one validation error at a place of the body.
func invalid(kind, msg string, input any, loc ...any) *core.Error {
	return &core.Error{Code: core.EInvalid, Message: msg,
		Fields: []core.FieldError{{Type: kind, Loc: append([]any{"body"}, loc...), Msg: msg, Input: input}}}
}
