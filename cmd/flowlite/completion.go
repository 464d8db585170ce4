package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/completion"
	"github.com/flowlite/flowlite/cmd/flowlite/internal/profile"
	"github.com/flowlite/flowlite/runtime/core"
)

// patience is how long a shell may wait for names: a person has pressed Tab.
const patience = 300 * time.Millisecond

// complete answers a shell with the words that the last one of the line can become.
func complete(stdout io.Writer, parser *kong.Kong, line completion.Line) {
	all := settings(parser.Model)
	for _, word := range completion.Complete(parser.Model.Node, line, map[string]completion.Values{
		"deployment": asking(deploymentNames),
		"flow":       named("/flows/filter"),
		"pool":       named("/work_pools/filter"),
		"queue":      named("/work_queues/filter"),
		"variable":   named("/variables/filter"),
		"run":        named("/flow_runs/filter"),
		"automation": named("/automations/filter"),
		"gcl":        named("/v2/concurrency_limits/filter"),
		"block":      asking(blockNames(nil, true)),
		"secret":     asking(blockNames([]string{core.SecretBlock}, false)),
		"artifact":   listed("/artifacts/latest/filter", "key"),
		"tag-limit":  listed("/concurrency_limits/filter", "tag"),
		"file":       completion.Files,
		"folder":     completion.Folders,
		"state": func(completion.Line) []string {
			known := slices.Clone(stateNames)
			for _, t := range core.StateTypes {
				known = append(known, t.Name())
			}
			return known
		},
		"profile": func(completion.Line) []string {
			f, err := profile.Load(home())
			if err != nil {
				return nil
			}
			return f.Names()
		},
		"setting": settingNames(all, func(s string) string { return s }),
		// The shell itself goes on after the =, with files.
		"assignment": settingNames(all, func(s string) string { return s + "=" }),
	}) {
		_, _ = fmt.Fprintln(stdout, word)
	}
}

func settingNames(all []setting, as func(string) string) completion.Values {
	return func(completion.Line) (names []string) {
		for _, s := range all {
			names = append(names, as(s.name))
		}
		return names
	}
}

// lister reads a list of the API.
type lister func(path string, body map[string]any, into any) error

func deploymentNames(ask lister) (names []string) {
	var all []core.Deployment
	var flows []core.Flow
	if ask("/deployments/filter", nil, &all) != nil || ask("/flows/filter", nil, &flows) != nil {
		return nil
	}
	byID := map[core.UUID]string{}
	for _, f := range flows {
		byID[f.ID] = f.Name
	}
	for _, d := range all {
		if byID[d.FlowID] != "" {
			names = append(names, byID[d.FlowID]+"/"+d.Name)
		}
	}
	return names
}

// blockNames are blocks of some types, or of all, as commands name them.
func blockNames(types []string, full bool) func(lister) []string {
	body := map[string]any{}
	if types != nil {
		body["block_types"] = map[string]any{"slug": map[string]any{"any_": types}}
	}
	return func(ask lister) (names []string) {
		var all []core.BlockDocument
		if ask("/block_documents/filter", body, &all) != nil {
			return nil
		}
		for _, d := range all {
			name := d.Name
			if full && d.BlockType != nil {
				name = d.BlockType.Slug + "/" + name
			}
			names = append(names, name)
		}
		return names
	}
}

// named completes the names of what a list of the API has.
func named(path string) completion.Values { return listed(path, "name") }

// listed completes a field of what a list of the API has.
func listed(path, field string) completion.Values {
	return asking(func(ask lister) (names []string) {
		var all []map[string]any
		_ = ask(path, nil, &all)
		for _, x := range all {
			if name, ok := x[field].(string); ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names
	})
}

// asking completes with what the server of the profile says within patience,
// and else with nothing.
func asking(names func(lister) []string) completion.Values {
	return func(line completion.Line) []string {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		api := newAPI(completionServer(line.Words))
		return names(func(path string, body map[string]any, into any) error {
			all := map[string]any{"limit": core.MaxLimit}
			maps.Copy(all, body)
			raw, err := api.once.Raw(ctx, "POST", path, all)
			if err != nil {
				return err
			}
			return json.Unmarshal(raw, into)
		})
	}
}

// completionServer is where the line being typed would go.
func completionServer(words []string) (base, auth string) {
	values := map[string]string{"FLOWLITE_API_URL": defaultAPI}
	if f, err := profile.Load(home()); err == nil {
		name := f.Active
		if p := os.Getenv("FLOWLITE_PROFILE"); p != "" {
			name = p
		}
		if p := flagOf(words, "--profile"); p != "" {
			name = p
		}
		maps.Copy(values, f.Profiles[name])
	}
	for _, k := range []string{"FLOWLITE_API_URL", "FLOWLITE_AUTH_STRING"} {
		if v, ok := os.LookupEnv(k); ok {
			values[k] = v
		}
	}
	if u := flagOf(words, "--api-url"); u != "" {
		values["FLOWLITE_API_URL"] = u
	}
	return values["FLOWLITE_API_URL"], values["FLOWLITE_AUTH_STRING"]
}

func flagOf(words []string, flag string) string {
	for i, w := range words {
		if w == flag && i+1 < len(words) {
			return words[i+1]
		}
		if v, ok := strings.CutPrefix(w, flag+"="); ok {
			return v
		}
	}
	return ""
}
