package core

// Topic is a kind of message on the bus.
type Topic string

const (
	TopicEvent      Topic = "event"      // Message.Event; key: none
	TopicLog        Topic = "log"        // Message.Logs; key: flow run id
	TopicWork       Topic = "work"       // a pool may have something to do; key: pool id
	TopicTask       Topic = "task"       // background task runs are to be had; key: task key
	TopicAutomation Topic = "automation" // a trigger may fire; key: none
	TopicTrigger    Topic = "trigger"    // automations changed; key: none
	TopicAction     Topic = "action"     // automations have something to do; key: none
	TopicRun        Topic = "run"        // a flow run or its task runs changed; key: flow run id
	TopicSecret     Topic = "secret"     // secrets changed, and what is masked with them; key: none
	TopicSlot       Topic = "slot"       // somebody waits for slots of a limit, or no longer; key: none
	TopicLoop       Topic = "loop"       // a server that stops gave the lease of a loop up; key: the loop
)

// Message is sent after the commit it tells of. It is a hint: the database is
// the truth, and a message may be lost.
type Message struct {
	Topic Topic
	Key   string
	Event *Event
	Logs  []*Log // nil when another server published them: the lines are in the database
	Wait  *SlotWait
	Tasks bool // TopicRun: task runs of the run changed, but not its state
	// Missed: messages of this subscription may have been lost between servers,
	// so what it is about must be read again. All else is empty.
	Missed bool
}

// SlotWait is a run that was refused slots and asks again. It is kept nowhere:
// servers tell each other, so that each can say why the run does not go on.
type SlotWait struct {
	Holder UUID   `json:"h"` // a flow run or a task run
	Limit  string `json:"l,omitempty"`
	Slots  int64  `json:"s,omitempty"`
	Until  Time   `json:"u,omitzero"` // it has asked again by then; 0: it has them, or gave up
}

// Bus fans messages out, to this process at once and to other servers on the
// database within milliseconds. It never blocks a publisher: a subscriber that
// does not read loses messages and is told so. While other servers cannot be
// heard, each subscriber gets a Missed every few seconds.
type Bus interface {
	Publish(m ...Message)
	// Subscribe takes messages of a topic; key "" takes all keys.
	Subscribe(topic Topic, key string, buffer int) Subscription
	Close() error
}

type Subscription interface {
	C() <-chan Message // closed when the bus closes
	// Lost tells how many messages were dropped since the last call.
	Lost() int64
	Close()
}
