package views

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// AutomationView is an automation as one sentence, and how it has fared.
type AutomationView struct {
	*core.Automation
	When, Then []Phrase
	Last       core.Time // of its firings that are kept
	Fired      int64     // within firedSpan
	Failed     bool      // an action of the last firing
	Endless    bool      // it sets itself off
	Doings     []*core.Event
}

func (a AutomationView) path() string { return "/automations/" + a.ID.String() }

// Phrase is a part of a sentence: plain words, or a thing in a frame.
type Phrase struct {
	Kind string // "" is plain, "ev" an event's name, "thing", or a state's tone
	Text string
	Href string
}

// Naming says what a resource is called and where its page is.
type Naming func(resource string) (name, href string)

type sentence struct {
	of    Naming
	parts []Phrase
}

func (s *sentence) say(text string) { s.parts = append(s.parts, Phrase{Text: text}) }

func (s *sentence) sayf(format string, args ...any) { s.say(fmt.Sprintf(format, args...)) }

func (s *sentence) add(p Phrase) { s.parts = append(s.parts, p) }

// among says things one after the other, with "or" before the last.
func (s *sentence) among(things []Phrase) {
	for i, t := range things {
		switch {
		case i > 0 && i == len(things)-1:
			s.say("or")
		case i > 0:
			s.say(",")
		}
		s.add(t)
	}
}

func (s *sentence) thing(resource string) Phrase {
	kind, key := kindOf(resource)
	if id, err := core.ParseUUID(key); err == nil && id.IsZero() { // not chosen yet
		return Phrase{Kind: "thing", Text: "…"}
	}
	if kind == "tag" {
		return Phrase{Kind: "thing", Text: key, Href: "/runs?range=all&tag=" + key}
	}
	name, href := s.of(resource)
	if name == "" {
		name = resourceName(map[string]string{"prefect.resource.id": resource})
	}
	return Phrase{Kind: "thing", Text: name, Href: href}
}

// WhenSentence says when a trigger fires.
func WhenSentence(t *core.Trigger, of Naming) []Phrase {
	s := &sentence{of: of}
	s.say("When")
	s.trigger(t)
	return s.parts
}

// ThenSentence says what actions do.
func ThenSentence(actions []*core.AutomationAction, of Naming) []Phrase {
	s := &sentence{of: of}
	for i, a := range actions {
		if i > 0 {
			s.say(pick(i == len(actions)-1, "and", ","))
		}
		s.action(a)
	}
	if len(actions) == 0 {
		s.say("do nothing")
	}
	return s.parts
}

func (s *sentence) trigger(t *core.Trigger) {
	switch {
	case t == nil:
		s.say("never")
	case t.Type == core.TriggerCompound || t.Type == core.TriggerSequence:
		s.parted(t)
	default:
		s.eventTrigger(t)
	}
}

func (s *sentence) parted(t *core.Trigger) {
	how := "these happen one after the other"
	if t.Type == core.TriggerCompound {
		switch need := strings.Trim(string(t.Require), `"`); need {
		case "all":
			how = "all of these happen"
		case "any":
			how = "any of these happens"
		default:
			how = need + " of these happen"
		}
	}
	if w := core.Deref(t.Within); w > 0 {
		how += " within " + spanOf(w)
	}
	s.sayf("%s:", how)
	for i, c := range t.Triggers {
		s.sayf("(%d)", i+1)
		s.trigger(c)
	}
}

func (s *sentence) eventTrigger(t *core.Trigger) {
	names := t.Expect
	stays := t.Posture == core.Proactive && len(t.After) > 0
	if stays {
		names = t.After
	}
	kind := oneKind(names)
	states := stateNames(names, kind)
	switch {
	case kind == "flow-run":
		s.say("a flow run")
		s.subject(t)
		s.say(pick(len(states) == 0, "changes its state", pick(stays, "stays", "enters")))
	case kind == "work-pool" || kind == "work-queue" || kind == "deployment":
		s.say(pick(s.only(t, kind), "the ", "a ") + strings.ReplaceAll(kind, "-", " "))
		s.subject(t)
		s.say(pick(len(states) == 0, "changes its status", pick(stays, "stays", "becomes")))
	default:
		states = nil
		var evs []Phrase
		for _, n := range t.Expect {
			evs = append(evs, Phrase{Kind: "ev", Text: n})
		}
		if len(evs) == 0 {
			evs = []Phrase{{Text: "any event"}}
		}
		if t.Posture == core.Proactive {
			s.say("no")
		}
		s.among(evs)
		s.subject(t)
		s.say(pick(t.Posture == core.Proactive, "comes", "happens"))
		if len(t.After) > 0 {
			s.say("after")
			for _, n := range t.After {
				s.add(Phrase{Kind: "ev", Text: n})
			}
		}
		stays = false
	}
	s.among(states)
	n, within := core.Deref(t.Threshold), core.Deref(t.Within)
	if n > 1 {
		s.sayf(pick(t.Posture == core.Proactive, "fewer than %d times", "%d times"), n)
	}
	switch {
	case stays:
		s.sayf("for %s", spanOf(within))
	case within > 0 && (n > 1 || t.Posture == core.Proactive):
		s.sayf("within %s", spanOf(within))
	case within > 0:
		s.sayf("(at most once in %s)", spanOf(within))
	}
}

// only tells whether the trigger names its resources.
func (s *sentence) only(t *core.Trigger, kind string) bool {
	ids := trigger.SpecOf(t.Match)["prefect.resource.id"]
	return len(ids) > 0 && !slices.Contains(ids, "prefect."+kind+".*")
}

// subject says which resources the events must be about.
func (s *sentence) subject(t *core.Trigger) {
	match := trigger.SpecOf(t.Match)
	for _, key := range slices.Sorted(maps.Keys(match)) {
		var things []Phrase
		for _, v := range match[key] {
			switch {
			case key != "prefect.resource.id":
				things = append(things, Phrase{Kind: "thing", Text: key + " = " + v})
			case !strings.HasSuffix(v, ".*"):
				things = append(things, s.thing(v))
			}
		}
		if len(things) > 0 && key != "prefect.resource.id" {
			s.say("with")
		} else if kind := oneKind(t.Expect); len(things) > 0 && (kind == "" || kind == "flow-run") {
			s.say("of")
		}
		s.among(things)
	}
	for _, spec := range trigger.RelatedSpecs(t.MatchRelated) {
		s.relatedTo(spec)
	}
}

func (s *sentence) relatedTo(spec trigger.Spec) {
	role := strings.Join(spec["prefect.resource.role"], " or ")
	var things []Phrase
	for _, key := range slices.Sorted(maps.Keys(spec)) {
		for _, v := range spec[key] {
			switch key {
			case "prefect.resource.role":
			case "prefect.resource.id":
				things = append(things, s.thing(v))
			case "prefect.resource.name":
				things = append(things, Phrase{Kind: "thing", Text: v})
			default:
				things = append(things, Phrase{Kind: "thing", Text: key + " = " + v})
			}
		}
	}
	if len(things) == 0 {
		return
	}
	switch role {
	case "flow", "":
		s.say("of")
	case "tag":
		s.say("tagged")
	case "deployment":
		s.say("of the deployment")
	default:
		s.sayf("of %s", strings.ReplaceAll(role, "-", " "))
	}
	s.among(things)
}

func (s *sentence) action(a *core.AutomationAction) {
	verb, noun, _ := strings.Cut(a.Type, "-")
	switch a.Type {
	case "do-nothing":
		s.say("do nothing")
	case "cancel-flow-run", "suspend-flow-run", "resume-flow-run":
		s.sayf("%s the flow run", verb)
	case "change-flow-run-state":
		s.say("set the flow run to")
		s.add(Phrase{Kind: Tone(core.StateType(a.State), core.Deref(a.Name)), Text: stateWord(a)})
	case "send-notification":
		s.say("send a notification by")
		s.add(s.thing("prefect.block-document." + a.BlockDocumentID.String()))
	case "call-webhook":
		s.say("call the webhook")
		s.add(s.thing("prefect.block-document." + a.BlockDocumentID.String()))
	default:
		noun := strings.ReplaceAll(noun, "-", " ")
		if a.Target().IsZero() {
			s.sayf("%s the event's %s", verb, noun)
			break
		}
		s.say(strings.TrimSpace(verb + " " + pick(a.Type == "run-deployment", "", noun)))
		s.add(s.thing("prefect." + strings.ReplaceAll(noun, " ", "-") + "." + a.Target().String()))
		if a.ScheduleAfter > 0 {
			s.sayf("%s later", spanOf(a.ScheduleAfter))
		}
	}
}

func stateWord(a *core.AutomationAction) string {
	if n := core.Deref(a.Name); n != "" {
		return n
	}
	if a.State == "" {
		return "a state"
	}
	return a.State[:1] + strings.ToLower(a.State[1:])
}

// oneKind is the kind that all events' names are of, "" if they are of several.
func oneKind(names []string) string {
	if len(names) == 0 {
		return ""
	}
	first, _ := kindOf(names[0])
	for _, n := range names {
		if kind, key := kindOf(n); kind != first || key == "" || strings.HasPrefix(n, "!") {
			return ""
		}
	}
	return first
}

// stateNames are the states that events of a kind tell of; none for all.
func stateNames(names []string, kind string) (out []Phrase) {
	for _, n := range names {
		name := strings.TrimPrefix(n, "prefect."+kind+".")
		if name == "*" {
			return nil
		}
		tone, text := stateTone[name], name
		if kind != "flow-run" {
			tone = map[string]string{"ready": "completed", "not-ready": "late", "paused": "paused"}[name]
			text = strings.ReplaceAll(name, "-", " ")
		}
		if tone == "" {
			tone = "pending"
		}
		out = append(out, Phrase{Kind: tone, Text: text})
	}
	return out
}

// stateTone is the look of a state by its name alone.
var stateTone = map[string]string{
	"Scheduled":     "scheduled",
	"Late":          "late",
	"Pending":       "pending",
	"Running":       "running",
	"Retrying":      "retrying",
	"Paused":        "paused",
	"Suspended":     "paused",
	"Completed":     "completed",
	"Cached":        "cached",
	"Failed":        "failed",
	"TimedOut":      "failed",
	"Crashed":       "crashed",
	"Cancelling":    "cancelled",
	"Cancelled":     "cancelled",
	"AwaitingRetry": "scheduled",
}

// spanOf is an exact duration in words: "10 min", "1 h 30 min".
func spanOf(s core.Seconds) string {
	d := s.Duration()
	if d%time.Second != 0 || d == 0 {
		return strconv.FormatFloat(float64(s), 'f', -1, 64) + " s"
	}
	var parts []string
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / u.d; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			d %= u.d
		}
	}
	return strings.Join(parts, " ")
}

// fired is when it last did.
func (a AutomationView) fired(now core.Time) string {
	if a.Last == 0 {
		return "not fired in 30 days"
	}
	return "fired " + past(a.Last, now)
}

// often is fired, and how many times.
func (a AutomationView) often(now core.Time) string {
	if a.Fired == 0 {
		return a.fired(now)
	}
	return a.fired(now) + ", " + plural(a.Fired, "time", "times") + " in 30 days"
}

// spaced tells whether a phrase has a space after it: not before a comma.
func spaced(parts []Phrase, i int) bool { return i+1 >= len(parts) || parts[i+1].Text != "," }
