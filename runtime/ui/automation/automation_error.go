package automation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// markAutomation writes what the service says beside the field that it is about.
func markAutomation(f *views.AutomationForm, e *core.Error) {
	if len(e.Fields) == 0 {
		f.Problem = e.Message
	}
	for _, x := range e.Fields {
		msg := strings.TrimPrefix(x.Msg, "Value error, ")
		var loc []string
		for _, l := range x.Loc {
			loc = append(loc, fmt.Sprint(l))
		}
		if len(loc) > 0 && loc[0] == "body" {
			loc = loc[1:]
		}
		if f.AsJSON {
			f.Raw.Error = strings.Join(loc, ".") + ": " + msg
			return
		}
		if at := fieldAt(f, loc, msg); at != nil {
			at.Error = msg
		} else {
			f.Problem = msg
		}
	}
}

func fieldAt(f *views.AutomationForm, loc []string, msg string) *form.Field {
	if len(loc) == 0 {
		return nil
	}
	field := ""
	switch loc[0] {
	case "trigger":
		if f.Kind == "json" {
			return f.At("json.trigger")
		}
		if len(loc) > 1 {
			field = loc[1]
		} else if strings.Contains(msg, "within") {
			field = "within"
		}
		return ifThere(f.Fields, f.Kind+"."+field)
	case "actions":
		if len(loc) < 2 {
			return nil
		}
		i, err := strconv.Atoi(loc[1])
		if err != nil || i >= len(f.Actions) {
			return nil
		}
		if len(loc) > 2 {
			field = strings.TrimSuffix(strings.TrimSuffix(loc[2], "_id"), "_document")
		}
		if at := ifThere(f.Actions[i].Fields, field); at != nil {
			return at
		}
		return f.Actions[i].At("type")
	case "actions_on_trigger":
		return f.At("on_trigger")
	case "actions_on_resolve":
		return f.At("on_resolve")
	}
	return ifThere(f.Fields, loc[0])
}

func ifThere(fields []form.Field, name string) *form.Field {
	if i := slices.IndexFunc(fields, func(x form.Field) bool { return x.Name == name }); i >= 0 {
		return &fields[i]
	}
	return nil
}
