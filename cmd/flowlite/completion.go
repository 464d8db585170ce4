package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/profile"
	"github.com/flowlite/flowlite/runtime/core"
)

// patience is how long a shell may wait for names: a person has pressed Tab.
const patience = 300 * time.Millisecond

// registerCompletion answers the shell when it asks, and ends the program then.
func registerCompletion(parser *kong.Kong, settings []setting) {
	kongcompletion.Register(parser, kongcompletion.WithPredictors(map[string]complete.Predictor{
		"deployment": asking(func(ask func(path string, into any) error) (names []string) {
			var all []core.Deployment
			var flows []core.Flow
			if ask("/deployments/filter", &all) != nil || ask("/flows/filter", &flows) != nil {
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
		}),
		"flow":     named("/flows/filter"),
		"pool":     named("/work_pools/filter"),
		"variable": named("/variables/filter"),
		"run":      named("/flow_runs/filter"),
		"profile": complete.PredictFunc(func(complete.Args) []string {
			f, err := profile.Load(home())
			if err != nil {
				return nil
			}
			return f.Names()
		}),
		"setting": complete.PredictFunc(func(complete.Args) (names []string) {
			for _, s := range settings {
				names = append(names, s.name)
			}
			return names
		}),
	}))
}

// named completes the names of what a list of the API has.
func named(path string) complete.Predictor {
	return asking(func(ask func(path string, into any) error) (names []string) {
		var all []struct {
			Name string `json:"name"`
		}
		_ = ask(path, &all)
		for _, x := range all {
			names = append(names, x.Name)
		}
		return names
	})
}

// asking completes with what the server of the profile says within patience,
// and else with nothing.
func asking(names func(ask func(path string, into any) error) []string) complete.Predictor {
	return complete.PredictFunc(func(args complete.Args) []string {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		api := newAPI(completionServer(args.All))
		return names(func(path string, into any) error {
			raw, err := api.once.Raw(ctx, "POST", path, map[string]int{"limit": core.MaxLimit})
			if err != nil {
				return err
			}
			return json.Unmarshal(raw, into)
		})
	})
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
		for k, v := range f.Profiles[name] {
			values[k] = v
		}
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
