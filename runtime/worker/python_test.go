package worker

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// Python runs are told of the relay, and what is not Python of a server, since
// a command may run elsewhere, as in a container.
func TestAddressesOfARun(t *testing.T) {
	w := &Worker{cfg: Config{APIURL: "http://a:4200/api,http://b:4200/api", PrefectURL: "http://127.0.0.1:5/api"}}
	r := &run{claim: core.Claim{FlowRun: &core.FlowRun{ID: core.NewID()}}}
	t.Setenv("NO_PROXY", "example.com")
	t.Setenv("no_proxy", "")
	environment := func(l *launchable) map[string]string {
		env := map[string]string{}
		for _, kv := range w.environment(r, &job{}, "f.py:f", l) {
			for i := range kv {
				if kv[i] == '=' {
					env[kv[:i]] = kv[i+1:]
					break
				}
			}
		}
		return env
	}
	for name, want := range map[string]string{"PREFECT_API_URL": "http://127.0.0.1:5/api", "PREFECT_UI_URL": "http://a:4200", "NO_PROXY": "example.com,127.0.0.1", "no_proxy": "127.0.0.1"} {
		if got := environment(&launchable{python: true})[name]; got != want {
			t.Errorf("%s of a Python run is %q, want %q", name, got, want)
		}
	}
	command := environment(&launchable{group: true})
	if command["PREFECT_API_URL"] != w.cfg.APIURL || command["NO_PROXY"] != "example.com" {
		t.Errorf("a command is told %q, %q", command["PREFECT_API_URL"], command["NO_PROXY"])
	}
}
