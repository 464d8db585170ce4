package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

type eventCmd struct {
	Stream eventStreamCmd `cmd:"" help:"Print events as they happen"`
	Emit   eventEmitCmd   `cmd:"" help:"Tell the server that something happened"`
}

type eventStreamCmd struct {
	Filter []string `short:"f" sep:"none" help:"only events of this name; a * at the end is open"`
	Since  length   `placeholder:"LENGTH" default:"1m" help:"begin with events that are so old"`
	Count  int      `short:"n" help:"end after so many"`
	File   string   `name:"output-file" help:"append them to this file, a line of JSON each"`
	Once   bool     `name:"run-once" help:"end after the first"`
}

func (c *eventStreamCmd) Run(a *app) error {
	now := core.Now()
	f := core.EventFilter{Occurred: &core.EventOccurred{Since: now.Add(-c.Since.Duration()), Until: now.Add(365 * 24 * time.Hour)}}
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
		return badUsage("--filter takes either names or names with a *, not both")
	}
	var file *os.File
	if c.File != "" {
		var err error
		if file, err = os.OpenFile(c.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
	}
	if c.Once {
		c.Count = 1
	}
	n := 0
	err := a.api.once.StreamEvents(a.ctx, f, func(e *core.Event, raw core.JSON) error {
		n++
		if file != nil {
			if _, err := file.Write(append(raw, '\n')); err != nil {
				return err
			}
		} else if !a.out.ForPeople() {
			if err := a.follow(raw, e.ID.String()); err != nil {
				return err
			}
		} else if err := a.out.Say(nil, "", "%s  %s  %s", a.out.Dim(e.Occurred.Time().Local().Format("15:04:05.000")), e.Event, e.ResourceID()); err != nil {
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
	if json.Unmarshal(payload, &object) != nil {
		return badUsage("--payload is a JSON object")
	}
	e := &core.Event{ID: core.NewID(), Occurred: core.Now(), Event: c.Event, Resource: map[string]string{}, Related: []map[string]string{}, Payload: payload}
	for key, v := range c.Label {
		e.Resource[key] = v
	}
	e.Resource["prefect.resource.id"] = c.Resource
	if _, err := a.api.call(a.ctx, "POST", "/events", []*core.Event{e}); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(e), e.ID.String(), "Emitted %s", c.Event)
}
