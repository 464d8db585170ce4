package core

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"time"
)

// Bounds of messages.
const (
	MaxMessageValue   = 64 << 10 // bytes of JSON
	MaxMessages       = 10_000   // that wait in one run
	MaxMessageTopics  = 100      // of one receiver
	messageSuffixSize = 1 + 36   // "-" and a UUID end the key of a message
)

// FarAway is when a call that waits without a timer looks again.
const FarAway = 365 * 24 * time.Hour

// RunMessage is an input of a run that was sent to a topic. Prefect's send_input
// sends such messages, too; it calls the topic a key prefix.
type RunMessage struct {
	ID      UUID    `json:"id"`
	Created Time    `json:"created"`
	Topic   string  `json:"topic"`
	Value   JSON    `json:"value"` // as it was sent, see WrapMessage
	Sender  *string `json:"sender"`
}

// MessageCreate is a message to send. A message that is sent again under its ID
// is stored once.
type MessageCreate struct {
	ID     UUID   `json:"id,omitzero"` // zero: a new one
	Topic  string `json:"topic"`
	Value  JSON   `json:"value"`
	Sender string `json:"sender,omitempty"` // "prefect.flow-run." and an ID, if a run sends it
}

// MessageRequest asks for the next message to one of the topics.
type MessageRequest struct {
	Topics []string `json:"topics"`
	// By is the call of the flow that receives the message, and gets the same one
	// each time it asks. Empty: the message stays where it is.
	By   string  `json:"by"`
	Wait Seconds `json:"wait"` // at most 30
}

// MessageKey is the key of the input that a message is.
func MessageKey(topic string, id UUID) string { return topic + "-" + id.String() }

// MessageOf returns the topic and the ID of the message under a key of an input;
// the topic is empty if the input is no message.
func MessageOf(key string) (topic string, id UUID) {
	at := len(key) - messageSuffixSize
	if at < 1 || key[at] != '-' {
		return "", UUID{}
	}
	id, err := ParseUUID(key[at+1:])
	if err != nil || id.IsZero() || id.String() != key[at+1:] {
		return "", UUID{}
	}
	return key[:at], id
}

var segments = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// CheckTopic returns EInvalid for what cannot be the topic of a message.
func CheckTopic(topic string) error {
	if err := checkSegment("topic", "the topic of a message", topic); err != nil {
		return err
	}
	return MaxMessageTopic.Check(topic)
}

// checkSegment returns EInvalid for a name that does not stand in a path as it is.
func checkSegment(field, what, name string) error {
	if !segments.MatchString(name) {
		return InvalidField(field, what+" consists of letters, digits, dots, dashes, and underscores; "+ShellWord(CutText(name, 100))+" does not")
	}
	return nil
}

// WrapMessage returns what is stored of a message: an object as it is, and any
// other value as {"value": …}, which is what Prefect's clients send and receive.
func WrapMessage(v JSON) JSON {
	if isObject(v) {
		return v
	}
	if len(v) == 0 {
		v = JSON("null")
	}
	return slices.Concat(JSON(`{"value":`), v, JSON("}"))
}

// UnwrapMessage returns the value of an object that has nothing but "value";
// false for anything else.
func UnwrapMessage(v JSON) (JSON, bool) {
	var fields map[string]json.RawMessage
	if !isObject(v) || json.Unmarshal(v, &fields) != nil || len(fields) != 1 || fields["value"] == nil {
		return nil, false
	}
	return JSON(fields["value"]), true
}

func isObject(v JSON) bool { return bytes.HasPrefix(bytes.TrimSpace(v), []byte("{")) }
