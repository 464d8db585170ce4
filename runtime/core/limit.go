package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Limit is the longest text that one field of a record may hold. Each field
// that an index of a database covers has one: PostgreSQL refuses index entries
// of more than 2,704 bytes.
type Limit struct {
	Record string // what people call it
	Field  string // its key in JSON
	Bytes  int    // of UTF-8
}

// indexed is the usual limit; with the other columns of an index it stays
// below PostgreSQL's.
const indexed = 2500

// The limits. Limits has all of them; docs/limits.md lists them.
var (
	MaxFlowName             = limit("flow", "name", indexed)
	MaxFlowRunName          = limit("flow run", "name", 1900)
	MaxFlowRunKey           = limit("flow run", "idempotency_key", indexed)
	MaxFlowRunTag           = limit("flow run", "tags", indexed)
	MaxFlowRunInputKey      = limit("flow run input", "key", indexed)
	MaxMessageTopic         = limit("message", "topic", 500)
	MaxMessageReceiver      = limit("message", "by", 500)
	MaxStreamKey            = limit("stream", "key", 500)
	MaxStreamSource         = limit("stream", "source", 500)
	MaxStatusKey            = limit("status", "key", 500)
	MaxStatusSource         = limit("status", "source", 500)
	MaxWebhookToken         = limit("webhook", "token", 64)
	MaxStateName            = limit("state", "name", 500)
	MaxTaskKey              = limit("task run", "task_key", 1250)
	MaxTaskDynamicKey       = limit("task run", "dynamic_key", 1250)
	MaxTaskCacheKey         = limit("task run", "cache_key", 2000)
	MaxDeploymentName       = limit("deployment", "name", indexed)
	MaxDeploymentTag        = limit("deployment", "tags", indexed)
	MaxScheduleSlug         = limit("schedule", "slug", indexed)
	MaxWorkPoolName         = limit("work pool", "name", indexed)
	MaxWorkQueueName        = limit("work queue", "name", indexed)
	MaxWorkerName           = limit("worker", "name", indexed)
	MaxConcurrencyLimitName = limit("concurrency limit", "name", indexed)
	MaxArtifactKey          = limit("artifact", "key", indexed)
	MaxArtifactCall         = limit("artifact", "call", 500)
	MaxVariableName         = limit("variable", "name", 255)
	MaxEventName            = limit("event", "event", 1024)
	MaxEventResourceID      = limit("event", "resource", indexed)
	MaxBlockTypeName        = limit("block type", "name", indexed)
	MaxBlockTypeSlug        = limit("block type", "slug", indexed)
	MaxBlockSchemaVersion   = limit("block schema", "version", 1250)
	MaxBlockSchemaSum       = limit("block schema", "checksum", 1250)
	MaxBlockDocumentName    = limit("block document", "name", indexed)
	MaxBlockReferenceName   = limit("block document", "data", indexed)
	MaxAutomationOwner      = limit("automation", "owner_resource", indexed)
	MaxBucketKey            = limit("automation", "for_each", indexed) // longer values are hashed
	MaxSavedSearchName      = limit("saved search", "name", indexed)
	MaxResultKey            = limit("result", "key", indexed)
)

// Limits are all limits, in the order of their declaration.
var Limits []*Limit

func limit(record, field string, bytes int) *Limit {
	l := &Limit{record, field, bytes}
	Limits = append(Limits, l)
	return l
}

// Row is the limit as the documentation lists it.
func (l *Limit) Row() string { return fmt.Sprintf("| %s | `%s` | `%d` |", l.Record, l.Field, l.Bytes) }

// Check returns EInvalid if one of the texts is too long. The error names the
// field, the limit, and the length.
func (l *Limit) Check(texts ...string) error {
	for _, s := range texts {
		if len(s) <= l.Bytes {
			continue
		}
		msg := fmt.Sprintf("%s of a %s may have at most %d bytes of UTF-8; this one has %d", l.Field, l.Record, l.Bytes, len(s))
		start := s[:min(len(s), 100)]
		for len(start) > 0 && !utf8.ValidString(start) {
			start = start[:len(start)-1]
		}
		return &Error{Code: EInvalid, Message: msg, Fields: []FieldError{
			{
				Type:  "string_too_long",
				Loc:   []any{"body", l.Field},
				Msg:   msg,
				Input: start + "…",
				Ctx:   map[string]int{"max_bytes": l.Bytes, "bytes": len(s)},
			},
		}}
	}
	return nil
}

// CheckPtr is Check for a text that may be absent.
func (l *Limit) CheckPtr(s *string) error {
	if s == nil {
		return nil
	}
	return l.Check(*s)
}

// What JSON may hold. Deeper values and longer numbers cannot be read by
// Prefect's clients: pydantic's parser ends at 200 levels, and Python's int at
// 4,300 digits.
const (
	MaxDepth  = 128
	MaxNumber = 4000 // characters
)

// CheckJSON returns EInvalid for JSON that is nested too deep, or has a number
// that is too long or that a float cannot hold. It does not look whether the
// text is JSON.
func CheckJSON(j []byte) error {
	depth := 0
	for i := 0; i < len(j); i++ {
		switch c := j[i]; {
		case c == '"':
			if i = stringEnd(j, i); i < 0 {
				return nil
			}
		case c == '[' || c == '{':
			if depth++; depth > MaxDepth {
				return badJSON(j, i, fmt.Sprintf("the value is nested more than %d levels deep", MaxDepth))
			}
		case c == ']' || c == '}':
			depth--
		case c == '-' || '0' <= c && c <= '9':
			end := i + 1
			for end < len(j) && numeric(j[end]) {
				end++
			}
			if why := badNumber(j[i:end]); why != "" && json.Valid(j) {
				return badJSON(j, i, why)
			}
			i = end - 1
		}
	}
	return nil
}

// stringEnd is where the string that begins at i ends; -1 if it does not.
func stringEnd(j []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(j[i:], '"')
		if n < 0 {
			return -1
		}
		slash := bytes.IndexByte(j[i:i+n], '\\')
		if slash < 0 {
			return i + n
		}
		if i += slash + 1; i >= len(j) {
			return -1
		}
	}
}

func numeric(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

func badNumber(b []byte) string {
	if len(b) > MaxNumber {
		return fmt.Sprintf("the number has %d characters; at most %d are allowed", len(b), MaxNumber)
	}
	e := bytes.IndexAny(b, "eE")
	if e < 0 {
		return ""
	}
	if power, err := strconv.Atoi(string(b[e+1:])); err != nil && len(b) > e+1 || power < -MaxNumber {
		return "the exponent of the number is out of range"
	}
	if _, err := strconv.ParseFloat(string(b), 64); err != nil {
		return "the number is out of range; a number with an exponent must fit into a 64-bit float"
	}
	return ""
}

func badJSON(j []byte, at int, why string) error {
	loc := append([]any{"body"}, placeOf(j, at)...)
	return &Error{Code: EInvalid, Message: why, Fields: []FieldError{{Type: "value_error", Loc: loc, Msg: "Value error, " + why}}}
}

// placeOf is the way to an offset of a JSON text, at most two steps of it.
func placeOf(j []byte, at int) (loc []any) {
	d := json.NewDecoder(bytes.NewReader(j))
	d.UseNumber()
	type level struct {
		object bool
		key    any
		count  int
	}
	var levels []level
	for d.InputOffset() < int64(at) {
		t, err := d.Token()
		if err != nil {
			break
		}
		if delim, ok := t.(json.Delim); ok && (delim == ']' || delim == '}') {
			levels = levels[:len(levels)-1]
			continue
		}
		if n := len(levels); n > 0 {
			top := &levels[n-1]
			if name, ok := t.(string); ok && top.object && top.count%2 == 0 {
				top.key = name
			} else if !top.object {
				top.key = top.count
			}
			top.count++
		}
		if delim, ok := t.(json.Delim); ok {
			levels = append(levels, level{object: delim == '{'})
		}
	}
	for _, l := range levels[:min(2, len(levels))] {
		if l.key != nil {
			loc = append(loc, l.key)
		}
	}
	return loc
}
