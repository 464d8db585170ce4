package core

// Topic is a kind of message on the bus.
type Topic string

const (
	TopicEvent      Topic = "event"      // Message.Event; key: none
	TopicLog        Topic = "log"        // Message.Logs; key: flow run id
	TopicWork       Topic = "work"       // a pool may have something to do; key: pool id
	TopicTask       Topic = "task"       // background task runs are to be had; key: task key
	TopicAutomation Topic = "automation" // a trigger may fire; key: none
	TopicAction     Topic = "action"     // automations have something to do; key: none
	TopicRun        Topic = "run"        // a flow run or its task runs changed; key: flow run id
)

// Message is sent after the commit it tells of. It is a hint: the database is
// the truth, and a message may be lost.
type Message struct {
	Topic Topic
	Key   string
	Event *Event
	Logs  []*Log
	Tasks bool // TopicRun: task runs of the run changed, but not its state
}

// Bus fans messages out. It never blocks a publisher: a subscriber that does
// not read loses messages and is told so.
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
