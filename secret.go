package flowlite

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Secret reads the Secret block of that name from the server, as Python flows
// do with Secret.load; FLOWLITE_SECRET_<NAME> in the environment goes before
// it. A secret that is no text comes as JSON. Logs and states of the run show
// ******** instead, also within longer texts.
func Secret(ctx context.Context, name string) (string, error) {
	key := "FLOWLITE_SECRET_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
	e, err := current(ctx)
	if v, ok := os.LookupEnv(key); ok {
		if err == nil {
			e.Hide(v)
		}
		return v, nil
	}
	if err != nil {
		return "", err
	}
	value, err := e.Secret(ctx, name)
	if core.IsNotFound(err) {
		return "", core.Errorf(
			core.ENotFound,
			"there is no secret %q; set it: flowlite secret set %s, or put %s into the environment of the run",
			name,
			core.ShellWord(name),
			key,
		)
	}
	if err != nil {
		return "", fmt.Errorf("secret %q: %w", name, err)
	}
	text := string(value)
	_ = json.Unmarshal(value, &text) // a text without its quotes
	return text, nil
}
