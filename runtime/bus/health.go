package bus

import (
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// Status is how a bus stands, for GET /api/ready.
type Status struct {
	Kind    string    `json:"kind"` // memory, postgres or redis
	Ready   bool      `json:"ready"`
	Since   core.Time `json:"since,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Sent    int64     `json:"messages_sent"`
	Heard   int64     `json:"messages_heard"`
	Dropped int64     `json:"messages_dropped"`
}

// Health is what is wrong with each part of something.
type Health struct {
	mu    sync.Mutex
	wrong map[string]error
	since core.Time
}

func (h *Health) good() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.wrong) == 0
}

// Set says whether this was the first thing to go wrong, or the last to be mended.
func (h *Health) Set(part string, err error) (broke, mended bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := len(h.wrong)
	if err == nil {
		delete(h.wrong, part)
	} else {
		if h.wrong == nil {
			h.wrong = map[string]error{}
		}
		h.wrong[part] = err
	}
	broke, mended = before == 0 && len(h.wrong) > 0, before > 0 && len(h.wrong) == 0
	if broke || mended {
		h.since = core.Now()
	}
	return broke, mended
}

// Reason is what is wrong, and since when; "" for nothing.
func (h *Health) Reason() (text string, since core.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, err := range h.wrong {
		text = err.Error()
	}
	return text, h.since
}

// report notes how a part of the link stands, and logs when that changes.
func (b *Linked) report(part string, err error) {
	switch broke, mended := b.health.Set(part, err); {
	case broke:
		b.log.Warn(
			"other servers cannot be heard; until they can, this one looks into the database every few seconds",
			"bus",
			b.kind,
			"error",
			err,
		)
	case mended:
		b.log.Warn("other servers can be heard again", "bus", b.kind)
	}
}

// Status of the link.
func (b *Linked) Status() Status {
	reason, since := b.health.Reason()
	return Status{Kind: b.kind, Ready: reason == "", Since: since, Reason: reason,
		Sent: b.sent.Load(), Heard: b.heard.Load(), Dropped: b.dropped.Load()}
}

// Status of a bus in memory is always good.
func (b *Memory) Status() Status { return Status{Kind: "memory", Ready: true} }
