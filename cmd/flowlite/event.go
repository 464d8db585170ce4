package main

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type eventCmd struct {
	Ls     eventLsCmd     `cmd:"" aliases:"list" help:"List events, the newest first"`
	Stream eventStreamCmd `cmd:"" help:"Print events as they happen"`
	Emit   eventEmitCmd   `cmd:"" help:"Tell the server that something happened"`
}

// eventNames is a filter by names.
type eventNames struct {
	Filter []string `short:"f" sep:"none" help:"only events of this name; a * at the end is open"`
}

func (c eventNames) filter(since, until core.Time) (core.EventFilter, error) {
	f := core.EventFilter{Occurred: &core.EventOccurred{Since: since, Until: until}}
	for _, name := range c.Filter {
		if f.Event == nil {
			f.Event = &core.EventName{}
		}
		if prefix, open := strings.CutSuffix(name, "*"); open {
			f.Event.Prefix = append(f.Event.Prefix, prefix)
		} else {
			f.Event.Name = append(f.Event.Name, name)
		}
	}
	if f.Event != nil && f.Event.Prefix != nil && f.Event.Name != nil {
		return f, badUsage("--filter takes either names or names with a *, not both")
	}
	return f, nil
}

type eventLsCmd struct {
	eventNames
	Resource string   `help:"only of this resource: its id"`
	Since    duration `placeholder:"DURATION" default:"24h" help:"only events that are no older: 15m, 7d; default: ${default}"`
	Limit    int      `default:"15" help:"at most so many"`
}

func (c *eventLsCmd) Run(a *app) error {
	if c.Limit < 1 {
		return badUsage("--limit is at least 1")
	}
	now := core.Now()
	f, err := c.filter(now.Add(-c.Since.Duration()), now)
	if err != nil {
		return err
	}
	if c.Resource != "" {
		f.Resource = &core.EventResource{ID: []string{c.Resource}}
	}
	var rows []core.JSON
	method, path, body := "POST", "/events/filter", any(map[string]any{"filter": f, "limit": min(c.Limit, 50)})
	for len(rows) < c.Limit && path != "" {
		page, _, err := ask[struct {
			Events []core.JSON
			Next   *string `json:"next_page"`
		}](a, method, path, body)
		if err != nil {
			return err
		}
		rows = append(rows, page.Events...)
		method, path, body = "GET", "", nil
		if u, err := url.Parse(core.Deref(page.Next)); err == nil && u.RawQuery != "" {
			path = "/events/filter/next?" + u.RawQuery
		}
	}
	rows = rows[:min(c.Limit, len(rows))]
	t := &out.Table{
		Empty:   "no such events in the time that --since names",
		Columns: []out.Column{{Name: "when"}, {Name: "event", Keep: true}, {Name: "resource", Keep: true}},
	}
	ids := make([]string, len(rows))
	for i, raw := range rows {
		var e core.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		ids[i] = e.ID.String()
		t.Rows = append(t.Rows, []string{a.out.Ago(e.Occurred), e.Event, e.ResourceID()})
	}
	return a.out.List(core.ToJSON(append([]core.JSON{}, rows...)), t, ids)
}

type eventStreamCmd struct {
	eventNames
	Since duration `placeholder:"DURATION" default:"1m" help:"begin with events that are so old; default: ${default}"`
	Count int      `short:"n" help:"end after so many"`
	File  string   `name:"output-file" help:"append them to this file, a line of JSON each"`
	Once  bool     `name:"run-once" help:"end after the first"`
}

func (c *eventStreamCmd) Run(a *app) error {
	now := core.Now()
	f, err := c.filter(now.Add(-c.Since.Duration()), now.Add(365*24*time.Hour))
	if err != nil {
		return err
	}
	var file *os.File
	if c.File != "" {
		if file, err = os.OpenFile(c.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
	}
	if c.Once {
		c.Count = 1
	}
	n := 0
	err = a.api.once.StreamEvents(a.ctx, f, func(e *core.Event, raw core.JSON) error {
		n++
		if file != nil {
			if _, err := file.Write(append(raw, '\n')); err != nil {
				return err
			}
		} else if !a.out.ForPeople() {
			if err := a.follow(raw, e.ID.String()); err != nil {
				return err
			}
		} else if !a.out.Terminal {
			if err := a.out.Table(&out.Table{Rows: [][]string{{e.Occurred.String(), e.Event, e.ResourceID()}}}); err != nil {
				return err
			}
		} else if err := a.out.Say(nil, "", "%s  %s  %s", a.out.Dim(clock(e)), e.Event, e.ResourceID()); err != nil {
			return err
		}
		if n == c.Count {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	if a.ctx.Err() != nil {
		return outcome(exitInterrupted)
	}
	return a.api.explain(err)
}

const errEnough = enough("that was the last one asked for")

type enough string

func (e enough) Error() string { return string(e) }

type eventEmitCmd struct {
	Event    string            `arg:"" help:"its name, such as order.paid"`
	Resource string            `required:"" help:"id of what it happened to, such as order.17"`
	Label    map[string]string `short:"l" help:"a label of the resource: KEY=VALUE"`
	Payload  string            `help:"JSON"`
}

func (c *eventEmitCmd) Run(a *app) error {
	payload := core.JSON(c.Payload)
	if c.Payload == "" {
		payload = core.JSON("{}")
	}
	var object map[string]any
	if core.Unmarshal(payload, &object) != nil {
		return badUsage("--payload is a JSON object")
	}
	e := &core.Event{
		ID:       core.NewID(),
		Occurred: core.Now(),
		Event:    c.Event,
		Resource: map[string]string{},
		Related:  []map[string]string{},
		Payload:  payload,
	}
	maps.Copy(e.Resource, c.Label)
	e.Resource["prefect.resource.id"] = c.Resource
	if _, err := a.api.call(a.ctx, "POST", "/events", []*core.Event{e}); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(e), e.ID.String(), "Emitted %s", c.Event)
}

// clock is when an event occurred, as a person at this machine reads it.
func clock(e *core.Event) string { return e.Occurred.Time().Local().Format("15:04:05.000") }
