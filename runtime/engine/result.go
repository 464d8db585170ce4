package engine

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/flowlite/flowlite/runtime/core"
)

// InlineLimit is the largest result that rides in its state.
const InlineLimit = 64 << 10

type resultData struct {
	Type  string    `json:"type"`
	Value core.JSON `json:"value,omitempty"`
	Key   string    `json:"key,omitempty"`

	StorageKey string           `json:"storage_key,omitempty"` // Python's, and what follows
	Block      *string          `json:"storage_block_id,omitempty"`
	Serializer pythonSerializer `json:"serializer,omitzero"`
}

// pack makes the data of a completed state; a large result is stored first.
func pack(ctx context.Context, o core.TaskRunOrchestrator, key string, value core.JSON) (core.JSON, error) {
	if len(value) == 0 {
		value = core.JSON("null")
	}
	if len(value) <= InlineLimit && asIs(value) {
		b := make(core.JSON, 0, len(value)+30)
		b = append(b, `{"type":"flowlite","value":`...)
		return append(append(b, value...), '}'), nil
	}
	if err := persist(ctx, func() error { return o.PutResult(ctx, key, value) }); err != nil {
		return nil, err
	}
	return core.ToJSON(resultData{Type: "flowlite", Key: key}), nil
}

// asIs: a state holds the value without a change. A value with a NUL character,
// or nested too deep for a state, is stored as a file instead.
func asIs(value core.JSON) bool {
	return core.CheckJSON(value) == nil && bytes.Equal(core.CleanJSON(value), value)
}

// Unpack reads the result of a completed state, Go's or Python's.
func Unpack(ctx context.Context, o core.TaskRunOrchestrator, data core.JSON) (core.JSON, error) {
	if data.IsNull() {
		return core.JSON("null"), nil
	}
	var d resultData
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, core.Errorf(core.EInvalid, "the state's data is not a result: %w", err)
	}
	switch {
	case d.Type == "flowlite" && d.Key != "":
		return ask(ctx, func() (core.JSON, error) {
			b, err := o.Result(ctx, d.Key)
			return b, err
		})
	case d.Type == "flowlite":
		if len(d.Value) == 0 {
			return core.JSON("null"), nil
		}
		return d.Value, nil
	case d.StorageKey != "":
		return pythonResult(d)
	case d.Type == "unpersisted":
		return nil, core.Errorf(
			core.EBadRequest,
			"the result was not persisted; run the Python flow with PREFECT_RESULTS_PERSIST_BY_DEFAULT=true",
		)
	}
	return data, nil
}
