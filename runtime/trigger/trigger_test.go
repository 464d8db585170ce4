package trigger

import (
	"fmt"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestCovers(t *testing.T) {
	me := core.NewID()
	e := &core.Event{Event: "prefect.flow-run.Failed", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run.1", "name": "a"},
		Related: []map[string]string{{"prefect.resource.id": "prefect.flow.7", "prefect.resource.role": "flow", "prefect.resource.name": "etl"},
			{"prefect.resource.id": "prefect.tag.prod", "prefect.resource.role": "tag"}}}
	mine := &core.Event{Event: "prefect.automation.triggered", Resource: map[string]string{"prefect.resource.id": "prefect.automation." + me.String()}}
	other := &core.Event{Event: "prefect.automation.triggered", Resource: map[string]string{"prefect.resource.id": "prefect.automation.x"}}
	for _, c := range []struct {
		match, related string
		expect         []string
		event          *core.Event
		want           bool
	}{
		{event: e, want: true},
		{expect: []string{"prefect.flow-run.*"}, event: e, want: true},
		{expect: []string{"prefect.flow-run.Fail"}, event: e},
		{expect: []string{"prefect.flow-run.Crashed", "prefect.flow-run.Failed"}, event: e, want: true},
		{match: `{"prefect.resource.id":"prefect.flow-run.*"}`, event: e, want: true},
		{match: `{"prefect.resource.id":["prefect.task-run.*","prefect.flow-run.1"]}`, event: e, want: true},
		{match: `{"name":"!a"}`, event: e},
		{match: `{"name":"!b*"}`, event: e, want: true},
		{match: `{"absent":"!b"}`, event: e},
		{related: `{"prefect.resource.role":"flow","prefect.resource.name":"etl"}`, event: e, want: true},
		{related: `{"prefect.resource.role":"flow","prefect.resource.name":"other"}`, event: e},
		{related: `[{"prefect.resource.name":"etl"},{"prefect.resource.id":"prefect.tag.prod"}]`, event: e, want: true},
		{related: `[{"prefect.resource.name":"etl"},{"prefect.resource.id":"prefect.tag.dev"}]`, event: e},
		{event: other}, {event: mine},
		{expect: []string{"prefect.*"}, event: other},
		{expect: []string{"prefect.automation.triggered"}, event: other, want: true},
		{expect: []string{"prefect.automation.triggered"}, event: mine},
	} {
		one := Compile(&core.Automation{ID: me}, &core.Trigger{Match: core.JSON(c.match).Map(), MatchRelated: core.JSON(c.related), Expect: c.expect})
		if got := one.Covers(c.event); got != c.want {
			t.Errorf("match %s related %s expect %v of %s: %t", c.match, c.related, c.expect, c.event.Event, got)
		}
	}
}

func TestForEach(t *testing.T) {
	e := &core.Event{Resource: map[string]string{"a": "1"}, Related: []map[string]string{{"prefect.resource.role": "flow", "b": "2"}, {"prefect.resource.role": "flow", "b": "3"}}}
	one := Compile(&core.Automation{}, &core.Trigger{ForEach: []string{"related:flow:b", "a", "none"}})
	key := one.Key(e)
	if key != `["1","","2"]` {
		t.Errorf("key %s", key)
	}
	if got := fmt.Sprint(one.Labels(key)); got != "map[a:1 none: related:flow:b:2]" {
		t.Errorf("labels %s", got)
	}
}
