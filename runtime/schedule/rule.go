package schedule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
	_ "time/tzdata" // containers often have no zone files

	"github.com/flowlite/flowlite/runtime/core"
)

// Rule is a schedule that was read and found good.
type Rule struct {
	kind     string
	loc      *time.Location
	describe string
	meaning  string
	json     core.JSON
	dates    dates
}

// dates is one kind's arithmetic: up to n times in (after, until], ascending.
// A zero until is no bound.
type dates interface {
	between(after, until time.Time, n int) []time.Time
}

const (
	KindInterval = "IntervalSchedule"
	KindCron     = "CronSchedule"
	KindRRule    = "RRuleSchedule"
)

var keysOf = map[string][]string{
	"interval": {"interval", "anchor_date", "timezone"},
	"cron":     {"cron", "timezone", "day_or"},
	"rrule":    {"rrule", "timezone"},
}

// Parse reads a schedule. What it refuses is EInvalid and names the key.
func Parse(j core.JSON) (*Rule, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(j, &m); err != nil || m == nil {
		return nil, invalid("", string(j), `a schedule is an object such as {"cron": "0 9 * * *"} or {"interval": 3600}`)
	}
	kind := ""
	for k := range keysOf {
		if _, ok := m[k]; ok {
			if kind != "" {
				return nil, invalid("", nil, "a schedule is either an interval, a cron or an rrule, not several; make one schedule of each")
			}
			kind = k
		}
	}
	if kind == "" {
		return nil, invalid("", nil, "a schedule needs one of the keys interval, cron, rrule")
	}
	for k := range m {
		if !has(keysOf[kind], k) {
			return nil, invalid(k, nil, "%q is not a key of a %s schedule; it takes %s", k, kind, strings.Join(keysOf[kind], ", "))
		}
	}
	loc, zone, err := zoneOf(m["timezone"], kind)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "interval":
		return parseInterval(m, loc, zone)
	case "cron":
		return parseCron(m, loc, zone)
	}
	return parseRRule(m, loc, zone)
}

// Ended says why there is no time after now; "" if there is one.
func (r *Rule) Ended(now core.Time) string {
	if len(r.Between(now, 0, 1)) > 0 {
		return ""
	}
	if text, _ := r.json.Map()["rrule"].(string); strings.Contains(text, "COUNT") && !strings.Contains(text, "DTSTART") {
		return "without a DTSTART, COUNT counts from 1 January 2020; put a line like DTSTART:20270101T090000 before the rule"
	}
	return "all its times have passed"
}

// Between is up to n times strictly after after and not later than until,
// ascending. A zero until is no bound.
func (r *Rule) Between(after, until core.Time, n int) []core.Time {
	if n <= 0 {
		return nil
	}
	var end time.Time
	if until != 0 {
		end = until.Time()
	}
	found := r.dates.between(after.Time(), end, n)
	out := make([]core.Time, len(found))
	for i, t := range found {
		out[i] = core.TimeFrom(t)
	}
	return out
}

// Fires says whether at is one of the rule's times.
func (r *Rule) Fires(at core.Time) bool { return len(r.Between(at-1, at, 1)) > 0 }

// Meaning is equal for rules that are the same but for their spelling or, of
// intervals, the anchor, which many clients set to the time of each deploy.
func (r *Rule) Meaning() string { return r.meaning }

// Kind is IntervalSchedule, CronSchedule or RRuleSchedule.
func (r *Rule) Kind() string { return r.kind }

// Describe is a short text for people: "every 15 min", "0 9 * * 1-5 (Europe/Berlin)".
func (r *Rule) Describe() string { return r.describe }

// JSON is the rule with its defaults filled in.
func (r *Rule) JSON() core.JSON { return r.json }

// Local is t in the rule's zone, as idempotency keys write it.
func (r *Rule) Local(t core.Time) string {
	layout := "2006-01-02 15:04:05-07:00"
	if t%1e6 != 0 {
		layout = "2006-01-02 15:04:05.000000-07:00"
	}
	return t.Time().In(r.loc).Format(layout)
}

// zoneOf reads the timezone key; null is UTC, and so is the empty text where
// Prefect takes it, which is not in rrules.
func zoneOf(raw json.RawMessage, kind string) (*time.Location, *string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return time.UTC, nil, nil
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, nil, invalid("timezone", raw, "timezone must be text such as Europe/Berlin")
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" && kind == "rrule" || name == "Local" {
		return nil, nil, invalid("timezone", name, "timezone %q is not known; use an IANA name such as Europe/Berlin or UTC", name)
	}
	return loc, &name, nil
}

func text(m map[string]json.RawMessage, key, example string) (string, error) {
	var s string
	if err := json.Unmarshal(m[key], &s); err != nil || strings.TrimSpace(s) == "" {
		return "", invalid(key, m[key], "%s must be text such as %q", key, example)
	}
	return s, nil
}

// window keeps what lies in (after, until], sorted and once each, n at most.
func window(found []time.Time, after, until time.Time, n int) []time.Time {
	sort.Slice(found, func(i, j int) bool { return found[i].Before(found[j]) })
	out := found[:0]
	for _, t := range found {
		if !t.After(after) || (len(out) > 0 && out[len(out)-1].Equal(t)) {
			continue
		}
		if len(out) == n || (!until.IsZero() && t.After(until)) {
			break
		}
		out = append(out, t)
	}
	return out
}

func invalid(key string, input any, format string, args ...any) *core.Error {
	if raw, ok := input.(json.RawMessage); ok {
		if len(raw) == 0 || !json.Valid(raw) {
			input = nil
		} else {
			input = json.RawMessage(bytes.Clone(raw))
		}
	}
	loc := []any{"schedule"}
	if key != "" {
		loc = append(loc, key)
	}
	msg := fmt.Sprintf(format, args...)
	return &core.Error{Code: core.EInvalid, Message: msg, Fields: []core.FieldError{{Type: "value_error", Loc: loc, Msg: msg, Input: input}}}
}

func has(list []string, s string) bool {
	return slices.Contains(list, s)
}

func inZone(zone *string) string {
	if zone == nil || *zone == "UTC" || *zone == "" {
		return ""
	}
	return " (" + *zone + ")"
}
