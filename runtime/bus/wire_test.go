package bus

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// TestPack: no text is over the limit, and nothing is lost silently.
func TestPack(t *testing.T) {
	var sent []core.Message
	for i := range 2000 {
		sent = append(sent, core.Message{Topic: core.TopicRun, Key: strings.Repeat("k", i%1400) + fmt.Sprint(i)})
	}
	node := core.NewID().String()
	n := 0
	for _, text := range pack(node, sent, false, 1600) {
		p, ok := unpack([]byte(text))
		if !ok || len(text) > 1600 || p.Node != node || p.Gap {
			t.Fatalf("%d bytes, %v: %.100s", len(text), ok, text)
		}
		for _, m := range p.Messages {
			if m.Key != sent[n].Key {
				t.Fatalf("message %d is %.20s", n, m.Key)
			}
			n++
		}
	}
	if n != len(sent) {
		t.Errorf("%d of %d messages", n, len(sent))
	}
	texts := pack(node, []core.Message{{Topic: core.TopicTask, Key: strings.Repeat("k", 5000)}, {Topic: core.TopicWork, Key: "p"}}, false, 1600)
	if len(texts) != 1 || !strings.Contains(texts[0], `"g":true`) || !strings.Contains(texts[0], `"p"`) {
		t.Errorf("what cannot travel is passed over in silence: %.200s", texts)
	}
	if texts := pack(node, nil, true, 1600); len(texts) != 1 {
		t.Errorf("a gap alone: %v", texts)
	}
}

// TestHear: a gap is told to everybody, an unknown topic or field hurts nobody.
func TestHear(t *testing.T) {
	b := &Linked{local: NewMemory(), node: "me"}
	all, events := b.Subscribe(core.TopicRun, "", 4), b.Subscribe(core.TopicEvent, "", 4)
	b.hear([]byte(`{"n":"other","v":7,"m":[{"t":"new","k":"x","z":[1]},{"t":"run","k":"1"}]}`))
	b.hear([]byte(`{"n":"me","m":[{"t":"run","k":"2"}]}`))
	b.hear([]byte(`nonsense`))
	if m := <-all.C(); m.Key != "1" || len(all.C()) != 0 {
		t.Errorf("%+v and %d more", m, len(all.C()))
	}
	b.hear([]byte(pack("other", nil, true, 1600)[0]))
	if m := <-all.C(); !m.Missed || all.Lost() != 1 {
		t.Errorf("%+v", m)
	}
	if m := <-events.C(); !m.Missed {
		t.Errorf("%+v", m)
	}
	// An event that nobody can read is told as missed, to those of events.
	b.hear([]byte(`{"n":"other","m":[{"t":"event","i":"` + core.NewID().String() + `"}]}`))
	if m := <-events.C(); !m.Missed || len(all.C()) != 0 {
		t.Errorf("%+v", m)
	}
}

// TestQueue: hints that say the same are kept once, events all.
func TestQueue(t *testing.T) {
	q := queue{most: 3, wake: make(chan struct{}, 1)}
	work, e := core.Message{Topic: core.TopicWork, Key: "p"}, core.Message{Topic: core.TopicEvent, Event: &core.Event{}}
	if n := q.add([]core.Message{work, e, work, e, work, e}); n != 1 {
		t.Errorf("%d dropped", n)
	}
	list, gap := q.take()
	if len(list) != 3 || !gap {
		t.Errorf("%d, %v", len(list), gap)
	}
	q.add([]core.Message{work})
	if n := q.putBack(list[:2], gap); n != 0 {
		t.Errorf("%d dropped", n)
	}
	if list, gap = q.take(); len(list) != 2 || list[0].Topic != core.TopicWork || !gap {
		t.Errorf("%d, %v", len(list), gap)
	}
}
