package build

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/account"
)

// Registry is what a flow binary says of itself.
type Registry struct {
	Flows []Description `json:"flows"`
}

// Description of one flow; Deployments are those it declares, without flow ids.
type Description struct {
	Entrypoint  string                  `json:"entrypoint"`
	Name        string                  `json:"name"`
	Description string                  `json:"description"`
	Version     string                  `json:"version"`
	Schema      core.JSON               `json:"parameter_openapi_schema"`
	Deployments []core.DeploymentCreate `json:"deployments"`
}

const describeTimeout = 20 * time.Second

// Describe asks a binary for its registry. No flow code runs, but the
// package's variables are initialised, so a panic in one shows here, and as says
// which user they are initialized as.
func Describe(ctx context.Context, binary string, as *account.User) (*Registry, error) {
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "describe")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env, cmd.SysProcAttr = as.Environ(core.FlowEnviron(os.Environ())), as.Start(nil)
	cmd.WaitDelay = time.Second
	name := filepath.Base(binary)
	if err := cmd.Run(); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return nil, core.Errorf(
				core.EInvalid,
				"%s describe did not answer within %s; does its main call flowlite.Main, and do its variables start quickly?",
				name,
				describeTimeout,
			)
		}
		first, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		if first == "" {
			first = err.Error()
		}
		return nil, core.Errorf(core.EInvalid, "%s describe: %s", name, first)
	}
	var r Registry
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		return nil, core.Errorf(
			core.EInvalid,
			"%s describe printed something else than its flows; does its main call flowlite.Main? (%w)",
			name,
			err,
		)
	}
	return &r, nil
}
