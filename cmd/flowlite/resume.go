package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
)

type flowRunResumeCmd struct {
	Args []string `arg:"" name:"id" help:"RUN [--FIELD VALUE ...] [--input JSON|@file|-]; the fields are those that the run asks for"`
}

func (c *flowRunResumeCmd) Run(a *app) error {
	if strings.HasPrefix(c.Args[0], "-") {
		return badUsage("say the flow run before its fields: flowlite flow-run resume RUN --field value")
	}
	r, _, err := a.flowRun(c.Args[0])
	if err != nil {
		return err
	}
	of := a.inputSchema(r)
	input, err := a.resumeInput(c.Args[1:], of)
	if err != nil {
		return err
	}
	body := map[string]any{}
	if input != nil {
		body["run_input"] = input
	}
	return a.each([]string{r.ID.String()}, func(ref string) (*said, error) { return a.changeRun(ref, "/resume", body) })
}

// inputSchema is what the paused run asks for; nil if nothing.
func (a *app) inputSchema(r *core.FlowRun) core.JSON {
	if r.State == nil || r.State.Details.RunInputKeyset["schema"] == "" {
		return nil
	}
	text, err := a.api.once.FlowRunInput(a.ctx, r.ID, r.State.Details.RunInputKeyset["schema"])
	if err != nil {
		return nil
	}
	return core.JSON(text)
}

func (a *app) resumeInput(args []string, of core.JSON) (core.Object, error) {
	props, _ := of.Map()["properties"].(map[string]any)
	var input core.Object
	for len(args) > 0 {
		name, val, inline := strings.Cut(strings.TrimPrefix(args[0], "--"), "=")
		if !strings.HasPrefix(args[0], "--") {
			return nil, badUsage("%q is not a field; write --field value", args[0])
		}
		args = args[1:]
		key := name
		if _, ok := props[key]; !ok {
			key = strings.ReplaceAll(name, "-", "_")
		}
		typ := propertyType(of, key)
		if !inline {
			switch {
			case len(args) > 0 && !strings.HasPrefix(args[0], "--"):
				val, args = args[0], args[1:]
			case typ == "boolean":
				val = "true"
			default:
				return nil, badUsage("--%s needs a value", name)
			}
		}
		if name == "input" && props["input"] == nil {
			j, err := a.readInput(val)
			if err != nil {
				return nil, err
			}
			given, err := j.Object()
			if err != nil {
				return nil, badUsage("%s: %v", val, err)
			}
			if input == nil {
				input = core.Object{}
			}
			input.Overlay(given)
			continue
		}
		if _, ok := props[key]; !ok && len(props) > 0 {
			var known []string
			for k := range props {
				known = append(known, k)
			}
			f := &failure{code: exitUsage, what: "the run does not ask for " + name, hint: "it asks for " + strings.Join(known, ", ")}
			if n := nearest(name, known); n != "" {
				f.hint = "did you mean --" + n + "?"
			}
			return nil, f
		}
		input.Set(key, schema.FromText(of, key, val))
	}
	if input == nil && len(props) > 0 && a.canAsk() {
		for _, k := range slices.Sorted(maps.Keys(props)) {
			p := props[k]
			question := k
			if m, ok := p.(map[string]any); ok && m["description"] != nil {
				d, _ := json.Marshal(m["description"])
				question += " (" + strings.Trim(string(d), `"`) + ")"
			}
			typ := propertyType(of, k)
			if typ == "boolean" {
				question += " [true/false]"
			}
			answer, err := a.prompt(question + ":")
			if err != nil {
				return nil, err
			}
			if typ == "boolean" {
				switch strings.ToLower(answer) {
				case "y", "yes":
					answer = "true"
				case "n", "no":
					answer = "false"
				}
			}
			if answer != "" {
				input.Set(k, schema.FromText(of, k, answer))
			}
		}
	}
	if wanted := missing(of, input); len(wanted) > 0 {
		return nil, &failure{
			code: exitUsage,
			what: "the run asks for " + strings.Join(wanted, ", "),
			hint: "flowlite flow-run resume RUN" + fieldFlags(wanted),
		}
	}
	return input, nil
}

func fieldFlags(names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(" " + core.ShellWord("--"+n) + " VALUE")
	}
	return b.String()
}

// missing are the fields that a run asks for and nobody has given.
func missing(of core.JSON, input core.Object) (names []string) {
	required, _ := of.Map()["required"].([]any)
	for _, r := range required {
		name, _ := r.(string)
		if _, given := input.Get(name); !given {
			names = append(names, name)
		}
	}
	return names
}
