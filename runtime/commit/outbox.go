package commit

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// Outbox is what a transaction tells the world: events are written with it, and
// everything is published once it has committed.
type Outbox struct {
	events []*core.Event // that may be known: clients send them again
	own    []*core.Event // that are new
	runs   []core.UUID
	tasks  []core.UUID
	work   []core.UUID
	queued []string
	logs   []*core.Log
	after  []func()

	entered []core.FlowRunTransition

	triggers, actions bool // automations have events to evaluate, actions to run
}

// Event adds events whose IDs may be known already, as of clients that send them again.
func (o *Outbox) Event(e ...*core.Event) { o.events = append(o.events, e...) }

// OwnEvent adds events whose IDs nobody else has given out.
func (o *Outbox) OwnEvent(e ...*core.Event) { o.own = append(o.own, e...) }

// Run announces flow runs that changed.
func (o *Outbox) Run(id ...core.UUID) { o.runs = append(o.runs, id...) }

// Entered notes a transition of a flow run for the Observer.
func (o *Outbox) Entered(t core.FlowRunTransition) { o.entered = append(o.entered, t) }

// Tasks announces flow runs whose task runs changed.
func (o *Outbox) Tasks(flowRunID ...core.UUID) { o.tasks = append(o.tasks, flowRunID...) }

// Pool wakes the workers of work pools that may have something to do.
func (o *Outbox) Pool(poolID ...core.UUID) { o.work = append(o.work, poolID...) }

// Queued wakes the task workers that serve a task key.
func (o *Outbox) Queued(taskKey string) { o.queued = append(o.queued, taskKey) }

// Logs passes log entries to those who follow them.
func (o *Outbox) Logs(logs []*core.Log) { o.logs = logs }

// Actions wakes the service that runs the actions of automations.
func (o *Outbox) Actions() { o.actions = true }

// After runs fn once the transaction has committed.
func (o *Outbox) After(fn func()) { o.after = append(o.after, fn) }

// writeEvents leaves in events what is to be published.
func (o *Outbox) writeEvents(ctx context.Context, tx core.EventTx) (err error) {
	if len(o.events) > 0 {
		if o.events, err = tx.InsertEvents(ctx, o.events); err != nil {
			return err
		}
	}
	if len(o.own) > 0 {
		if err = tx.AddEvents(ctx, o.own); err != nil {
			return err
		}
		o.events = append(o.events, o.own...)
	}
	return nil
}

// messages are what a committed outbox publishes. Work comes first: a waiting
// worker should not queue behind those who only watch.
func (o *Outbox) messages() []core.Message {
	messages := make([]core.Message, 0, len(o.events)+len(o.runs)+len(o.tasks)+len(o.work)+1)
	for _, id := range distinct(o.work) {
		messages = append(messages, core.Message{Topic: core.TopicWork, Key: id.String()})
	}
	for _, id := range distinct(o.runs) {
		messages = append(messages, core.Message{Topic: core.TopicRun, Key: id.String()})
	}
	for _, key := range o.queued {
		messages = append(messages, core.Message{Topic: core.TopicTask, Key: key})
	}
	for _, id := range o.tasks {
		if !id.IsZero() {
			messages = append(messages, core.Message{Topic: core.TopicRun, Key: id.String(), Tasks: true})
		}
	}
	if o.triggers {
		messages = append(messages, core.Message{Topic: core.TopicAutomation})
	}
	if o.actions {
		messages = append(messages, core.Message{Topic: core.TopicAction})
	}
	for _, e := range o.events {
		messages = append(messages, core.Message{Topic: core.TopicEvent, Event: e})
	}
	for _, group := range logsByRun(o.logs) {
		messages = append(messages, core.Message{Topic: core.TopicLog, Key: group[0].FlowRunID.String(), Logs: group})
	}
	return messages
}

// distinct leaves out zero IDs and repetitions.
func distinct(ids []core.UUID) []core.UUID {
	if len(ids) < 2 {
		return slices.DeleteFunc(ids, core.UUID.IsZero)
	}
	seen := make(map[core.UUID]bool, len(ids))
	return slices.DeleteFunc(ids, func(id core.UUID) bool {
		again := seen[id] || id.IsZero()
		seen[id] = true
		return again
	})
}

// logsByRun groups lines by flow run, each group in the order of arrival.
func logsByRun(logs []*core.Log) [][]*core.Log {
	if len(logs) == 0 {
		return nil
	}
	same := true
	for _, l := range logs {
		same = same && l.FlowRunID == logs[0].FlowRunID
	}
	if same {
		return [][]*core.Log{logs}
	}
	at := map[core.UUID]int{}
	var groups [][]*core.Log
	for _, l := range logs {
		i, ok := at[l.FlowRunID]
		if !ok {
			i = len(groups)
			at[l.FlowRunID] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], l)
	}
	return groups
}
