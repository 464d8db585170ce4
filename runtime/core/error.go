package core

import (
	"errors"
	"fmt"
	"strings"
)

// Code classifies an Error; package api has the one table from codes to statuses.
type Code string

const (
	EInvalid     Code = "invalid"      // malformed or inadmissible input (422)
	EBadRequest  Code = "bad_request"  // well-formed, but cannot be done so (400)
	EUnauth      Code = "unauthorized" // credentials missing or wrong (401)
	ETooMany     Code = "too_many"     // too many attempts (429); RetryAfter says how long
	EForbidden   Code = "forbidden"    // protected thing (403)
	ENotFound    Code = "not_found"    // 404
	EConflict    Code = "conflict"     // duplicate or violated reference (409)
	EGone        Code = "gone"         // was there, and cannot be used any more (410)
	ELocked      Code = "locked"       // a limit is full (423); RetryAfter says how long
	ELeaseLost   Code = "lease_lost"   // another holder has the run (409)
	EUnavailable Code = "unavailable"  // database or server cannot answer now (503)
	EInternal    Code = "internal"     // a fault of ours (500)
)

// Error is the one error that crosses layers. Message is for people: what was
// wrong, then what to do.
type Error struct {
	Code       Code
	Message    string
	Fields     []FieldError // EInvalid: where the input was wrong
	RetryAfter float64      // ELocked, ETooMany: seconds
	Err        error        // cause, not shown to clients
}

// FieldError points at one place of a body, in the shape that clients parse.
type FieldError struct {
	Type  string `json:"type"`
	Loc   []any  `json:"loc"`
	Msg   string `json:"msg"`
	Input any    `json:"input"`
	Ctx   any    `json:"ctx,omitempty"`
}

func (e *Error) Error() string {
	if e.Err != nil && e.Message == "" {
		return e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error; %w keeps its cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

func NotFound(noun string) *Error { return &Error{Code: ENotFound, Message: noun + " not found"} }

// CodeOf is the code of the Error in err's chain; EInternal for any other
// error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return EInternal
}

func IsNotFound(err error) bool { return CodeOf(err) == ENotFound }

// InvalidField is an EInvalid for one field of a body.
func InvalidField(field, msg string) error {
	return &Error{
		Code:    EInvalid,
		Message: msg,
		Fields:  []FieldError{{Type: "value_error", Loc: []any{"body", field}, Msg: msg, Ctx: map[string]any{"error": map[string]any{}}}},
	}
}

// CheckName returns EInvalid for the name of a noun that would not fit into the path of a URL.
func CheckName(noun, name string) error {
	var text string
	switch {
	case name == "":
		text = "the name of a " + noun + " must not be empty"
	case strings.ContainsAny(name, "/%&><"):
		text = "the name of a " + noun + " must not contain any of / % & > <"
	case DotSegment(name):
		text = "the name of a " + noun + " must not be . or .., which mean directories in a URL; choose another name"
	default:
		return nil
	}
	return &Error{Code: EInvalid, Message: text,
		Fields: []FieldError{{Type: "string_pattern_mismatch", Loc: []any{"body", "name"}, Msg: text, Input: name}}}
}
