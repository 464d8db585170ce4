package flowlite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/schema"
)

// ErrNoMessage is the error of a Receive whose time-out passed. It is an
// ErrTimedOut, too: errors.Is tells both.
var ErrNoMessage = engine.ErrNoMessage

// Receive waits for a message to topic and returns it. A message is received once;
// the messages of a topic are received in the order in which they arrived, also
// those that arrived before the flow asked. What was received is recorded: a
// process that continues the run gets the same message, or the same time-out.
//
// If no message arrives within timeout, the error is ErrNoMessage. A timeout of 0
// takes a message that is there. A deployed run that has waited for 10 s is
// suspended: its process ends, and a message continues the run in another one, as
// with Suspend. Return the error ErrSuspended at once.
//
// Receive belongs into a flow, not into a task. A topic consists of letters,
// digits, dots, dashes, and underscores. Prefect's send_input sends to the topic
// that it calls key_prefix; a value that is no object arrives in the field value
// there, and Receive and Send take care of that.
func Receive[T any](ctx context.Context, topic string, timeout time.Duration) (v T, err error) {
	b, err := engine.Receive(ctx, topic, messageSchema[T], timeout)
	if err == nil {
		err = decodeMessage(topic, b, &v)
	}
	return v, err
}

// Send sends a message to a topic of the run with this ID and returns when it is
// durable. The run may receive it later, or never. In a flow or a task, a replay or a
// retry sends nothing twice: the n-th message of the same content to the same run
// and topic is sent once.
//
// It returns ErrConflict if the run has ended, ErrNotFound if there is no such run,
// and ErrInvalid if a message has more than 64 KiB of JSON, or if 10,000 wait.
func Send(ctx context.Context, runID, topic string, v any) error {
	o, err := orchestrator(ctx)
	if err != nil {
		return fmt.Errorf("send to run %s: %w", runID, err)
	}
	id, err := core.ParseUUID(runID)
	if err != nil {
		return fmt.Errorf("send: %w", sentinel(core.Errorf(core.EInvalid, "%q is not the ID of a run, which is a UUID", runID)))
	}
	return send(ctx, o, id, topic, v)
}

// Send sends a message to a topic of the run, as the function Send does.
func (r *Run[R]) Send(ctx context.Context, topic string, v any) error {
	return send(ctx, r.s.Orchestrator(), r.s.Run.ID, topic, v)
}

func send(ctx context.Context, o core.Orchestrator, id core.UUID, topic string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		err = core.Errorf(core.EInvalid, "the message cannot be encoded as JSON: %w", err)
	} else {
		err = engine.Send(ctx, o, id, topic, b)
	}
	if err != nil {
		return fmt.Errorf("send to run %s: %w", id, sentinel(err))
	}
	return nil
}

// decodeMessage reads a stored message. An object with nothing but "value" may be
// a value that was no object, or a struct with one field: T tells.
func decodeMessage[T any](topic string, stored core.JSON, into *T) error {
	inner, wrapped := core.UnwrapMessage(stored)
	tries := []core.JSON{stored}
	switch {
	case wrapped && holdsObject(reflect.TypeFor[T]()):
		tries = []core.JSON{stored, inner}
	case wrapped:
		tries = []core.JSON{inner, stored}
	}
	var first error
	for _, b := range tries {
		var v T
		d := json.NewDecoder(bytes.NewReader(b))
		if wrapped {
			d.DisallowUnknownFields() // a struct without the field value would take anything
		}
		err := d.Decode(&v)
		if err == nil {
			*into = v
			return nil
		}
		first = cmp.Or(first, err)
	}
	return fmt.Errorf("the message to topic %s does not fit %s: %w", topic, reflect.TypeFor[T](), first)
}

// messageSchema is the schema of a T as it is stored; nil if it tells nothing.
func messageSchema[T any]() core.JSON {
	t := reflect.TypeFor[T]()
	for t.Kind() == reflect.Pointer && holdsObject(t) {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Interface || t == reflect.TypeFor[json.RawMessage](), holdsObject(t) && t.Kind() != reflect.Struct:
		return nil
	case !holdsObject(t):
		t = reflect.StructOf([]reflect.StructField{{Name: "Value", Type: t, Tag: `json:"value"`}})
	}
	s, err := schema.Of(t)
	if err != nil {
		return nil // a form for it is a field for JSON
	}
	return s
}

// holdsObject reports whether values of the type are encoded as JSON objects.
func holdsObject(t reflect.Type) bool {
	if t.Implements(reflect.TypeFor[json.Unmarshaler]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return false
	}
	switch t.Kind() {
	case reflect.Pointer:
		return holdsObject(t.Elem())
	case reflect.Struct, reflect.Map:
		return true
	}
	return false
}
