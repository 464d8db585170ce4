package bus

import (
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// queue holds what waits to be sent. Hints that say the same are kept once.
type queue struct {
	most int
	wake chan struct{}

	mu      sync.Mutex
	list    []core.Message
	waiting map[hint]bool
	gap     bool // something was dropped since the last text
}

type hint struct {
	topic core.Topic
	key   string
	tasks bool
}

// add returns how many messages there was no room for.
func (q *queue) add(messages []core.Message) (dropped int64) {
	q.mu.Lock()
	for _, m := range messages {
		if m.Event == nil {
			h := hint{m.Topic, m.Key, m.Tasks}
			if q.waiting[h] {
				continue
			}
			if len(q.list) < q.most {
				if q.waiting == nil {
					q.waiting = map[hint]bool{}
				}
				q.waiting[h] = true
			}
		}
		if len(q.list) >= q.most {
			dropped++
			continue
		}
		m.Logs = nil
		q.list = append(q.list, m)
	}
	q.gap = q.gap || dropped > 0
	q.mu.Unlock()
	q.poke()
	return dropped
}

func (q *queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) take() (list []core.Message, gap bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list, gap = q.list, q.gap
	q.list, q.gap = nil, false
	clear(q.waiting)
	return list, gap
}

// putBack returns what could not be sent, before what came meanwhile.
func (q *queue) putBack(list []core.Message, gap bool) (dropped int64) {
	q.mu.Lock()
	later := q.list
	q.list, q.gap = list, q.gap || gap
	clear(q.waiting)
	for _, m := range list {
		if m.Event == nil {
			if q.waiting == nil {
				q.waiting = map[hint]bool{}
			}
			q.waiting[hint{m.Topic, m.Key, m.Tasks}] = true
		}
	}
	q.mu.Unlock()
	return q.add(later)
}
