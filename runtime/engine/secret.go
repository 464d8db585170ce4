package engine

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// hidden are the secrets that flows of this process have read.
type hidden struct {
	mu    sync.RWMutex
	words []string
	mask  *core.Mask
}

// Secret reads a Secret block and masks it from here on.
func (e *Engine) Secret(ctx context.Context, name string) (core.JSON, error) {
	d, err := ask(ctx, func() (*core.BlockDocument, error) {
		return e.o.BlockDocumentByName(ctx, core.SecretBlock, name, true)
	})
	if err != nil {
		return nil, err
	}
	e.Hide(d.SecretWords()...)
	v, ok := d.Data.Map()["value"]
	if !ok {
		return nil, core.Errorf(core.EInvalid, "the block secret/%s has no value", name)
	}
	return core.ToJSON(v), nil
}

// Hide masks the words in the logs and state messages of all runs.
func (e *Engine) Hide(words ...string) {
	h := &e.hidden
	h.mu.Lock()
	defer h.mu.Unlock()
	before := len(h.words)
	for _, w := range words {
		if !slices.Contains(h.words, w) {
			h.words = append(h.words, w)
		}
	}
	if len(h.words) > before {
		h.mask = core.Masker(h.words)
	}
}

func (e *Engine) hide(text string) string {
	e.hidden.mu.RLock()
	defer e.hidden.mu.RUnlock()
	if e.hidden.mask == nil {
		return text
	}
	return e.hidden.mask.Replace(text)
}

func (e *Engine) hideMessage(m *string) *string {
	if m == nil {
		return nil
	}
	text := e.hide(*m)
	return &text
}

// hideRecord is r for other handlers: the values that hold a secret become text.
func (e *Engine) hideRecord(r slog.Record) slog.Record {
	e.hidden.mu.RLock()
	none := e.hidden.mask == nil
	e.hidden.mu.RUnlock()
	if none {
		return r
	}
	out := slog.NewRecord(r.Time, r.Level, e.hide(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(e.hideAttr(a))
		return true
	})
	return out
}

func (e *Engine) hideAttr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	if a.Value.Kind() == slog.KindGroup {
		var group []slog.Attr
		for _, x := range a.Value.Group() {
			group = append(group, e.hideAttr(x))
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(group...)}
	}
	if text := a.Value.String(); text != e.hide(text) {
		return slog.String(a.Key, e.hide(text))
	}
	return a
}
