package api

import (
	"encoding/json"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// batch is a body that is a list of items, of which some may be refused while
// the others are stored: one bad item must not take its neighbors with it.
type batch[T any] struct {
	items   []T
	at      []int // of each item, its place in the body
	refused []core.FieldError
}

// batched is a body that decodes itself.
type batched interface {
	decode(c *call, body []byte) error
}

var _ batched = (*batch[int])(nil)

func (b *batch[T]) decode(c *call, body []byte) error {
	list := c.op.plan.of()
	whole, err := admitted(body)
	if err == nil && list.sure(whole) && json.Unmarshal(whole, &b.items) == nil {
		for i := range b.items {
			b.at = append(b.at, i)
		}
		return nil
	}
	b.items = nil
	var parts []json.RawMessage
	if json.Unmarshal(body, &parts) != nil {
		if err == nil {
			err = diagnose(c.op, whole, &b.items)
		}
		return err
	}
	for i, part := range parts {
		item, err := b.decodeItem(c, list, part)
		if err != nil {
			b.refuse(i, err)
			continue
		}
		b.items, b.at = append(b.items, item), append(b.at, i)
	}
	return nil
}

func (b *batch[T]) decodeItem(c *call, list *wire, part []byte) (item T, err error) {
	part, err = admitted(part)
	if err == nil && list != nil {
		part, err = list.Items.strictly(c, part)
	}
	if err == nil && json.Unmarshal(part, &item) != nil {
		err = diagnose(&op{}, part, &item)
	}
	return item, err
}

// refuse notes what is wrong with the item at place i of the body; the places
// that err names are within the item.
func (b *batch[T]) refuse(i int, err error) {
	fields := []core.FieldError{{Type: "value_error", Loc: []any{"body"}, Msg: err.Error()}}
	if e, ok := err.(*core.Error); ok && len(e.Fields) > 0 { //nolint:errorlint // ours, not wrapped
		fields = e.Fields
	}
	for _, f := range fields {
		f.Loc = append([]any{"body", i}, f.Loc[1:]...)
		b.refused = append(b.refused, f)
	}
}

// keep refuses the items that check does not pass, and returns the others.
func (b *batch[T]) keep(check func(item T) error) []T {
	kept := make([]T, 0, len(b.items))
	for i, item := range b.items {
		if err := check(item); err != nil {
			b.refuse(b.at[i], err)
		} else {
			kept = append(kept, item)
		}
	}
	return kept
}

// answer names the refused items, once the others are stored.
func (b *batch[T]) answer() error {
	if len(b.refused) == 0 {
		return nil
	}
	slices.SortStableFunc(b.refused, func(a, c core.FieldError) int { return a.Loc[1].(int) - c.Loc[1].(int) })
	return &core.Error{Code: core.EInvalid, Message: b.refused[0].Msg, Fields: b.refused}
}
