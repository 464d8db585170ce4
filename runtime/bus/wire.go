package bus

import (
	"encoding/json"

	"github.com/flowlite/flowlite/runtime/core"
)

// parcel is the text that travels. Servers of adjacent versions read each
// other's: what is unknown is left out, and what is new must be optional.
type parcel struct {
	Node     string `json:"n"`           // who sent it, and need not hear it
	Gap      bool   `json:"g,omitempty"` // the sender had to drop messages before it
	Messages []wire `json:"m,omitempty"`
}

type wire struct {
	Topic core.Topic     `json:"t"`
	Key   string         `json:"k,omitempty"`
	Tasks bool           `json:"x,omitempty"`
	Event *core.Event    `json:"e,omitempty"`
	Wait  *core.SlotWait `json:"w,omitempty"`
	ID    core.UUID      `json:"i,omitzero"` // of an event that is too large to travel
}

// envelope is more than a parcel needs around its messages.
const envelope = 80

// pack puts messages into as few texts as the limit allows, in their order.
func pack(node string, messages []core.Message, gap bool, limit int) []string {
	var texts []string
	var body []byte
	finish := func() {
		text := `{"n":"` + node + `"`
		if gap {
			text += `,"g":true`
			gap = false
		}
		texts = append(texts, text+`,"m":[`+string(body)+`]}`)
		body = body[:0]
	}
	for _, m := range messages {
		one, err := json.Marshal(wire{Topic: m.Topic, Key: m.Key, Tasks: m.Tasks, Event: m.Event, Wait: m.Wait})
		if m.Event != nil && (err != nil || len(one)+envelope > limit) {
			one, err = json.Marshal(wire{Topic: m.Topic, ID: m.Event.ID})
		}
		if err != nil || len(one)+envelope > limit {
			gap = true // a key without measure
			continue
		}
		if len(body) > 0 {
			if len(body)+1+len(one)+envelope > limit {
				finish()
			} else {
				body = append(body, ',')
			}
		}
		body = append(body, one...)
	}
	if len(body) > 0 || gap {
		finish()
	}
	return texts
}

func unpack(text []byte) (p parcel, ok bool) {
	return p, json.Unmarshal(text, &p) == nil
}
