package python

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/account"
)

// Flow is a function with Prefect's decorator.
type Flow struct {
	File        string    `json:"file"` // as it was asked for
	Function    string    `json:"function"`
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Description string    `json:"description"`
	Schema      core.JSON `json:"parameter_openapi_schema"`
	Error       string    `json:"error"` // why it cannot be deployed
}

// Failed is a file that could not be read.
type Failed struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

var decorated = regexp.MustCompile(`(?m)^@[\w.]+`)

// MayHoldFlows tells by a glance whether a file can declare flows.
func MayHoldFlows(text []byte) bool {
	return bytes.Contains(text, []byte("prefect")) && bytes.Contains(text, []byte("flow")) && decorated.Match(text)
}

// Find lists the files below dir that may hold flows. ignored are the folders
// to be left out.
func Find(dir string, ignored func(name string) bool) (files []string, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && p == dir:
			return err
		case err != nil:
			return nil //nolint:nilerr // a folder that cannot be read holds no flows for us
		case d.IsDir():
			if p == dir {
				return nil
			}
			if _, err := os.Stat(filepath.Join(p, "pyvenv.cfg")); err == nil || ignored(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		case !strings.EqualFold(filepath.Ext(p), ".py") || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		if text, err := os.ReadFile(p); err == nil && MayHoldFlows(text) {
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

const describeTimeout = 60 * time.Second

// Describe reads the flows of files, which it imports as the user. EInvalid if the interpreter has no Prefect.
func Describe(ctx context.Context, interpreter, runner, dir string, files []string, as *account.User) ([]Flow, []Failed, error) {
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	in, err := json.Marshal(files)
	if err != nil {
		return nil, nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, interpreter, runner, "describe")
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, bytes.NewReader(in), &stdout, &stderr
	cmd.WaitDelay = time.Second
	// Reading flows talks to no server, and must not look for one.
	cmd.SysProcAttr = as.Start(nil)
	cmd.Env = append(
		as.Environ(core.FlowEnviron(os.Environ())),
		"PREFECT_SERVER_ALLOW_EPHEMERAL_MODE=false",
		"PREFECT_LOGGING_LEVEL=CRITICAL",
		"PWD="+dir,
	)
	if err := cmd.Run(); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return nil, nil, core.Errorf(
				core.EInvalid,
				"%s did not read the flows within %s; does a file that they import do work at import?",
				interpreter,
				describeTimeout,
			)
		}
		return nil, nil, core.Errorf(core.EInvalid, "%s", lastWords(stderr.String(), interpreter+": "+err.Error()))
	}
	var out struct {
		Flows  []Flow   `json:"flows"`
		Failed []Failed `json:"failed"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		return nil, nil, core.Errorf(core.EInvalid, "%s did not answer in JSON: %w", interpreter, err)
	}
	return out.Flows, out.Failed, nil
}

// lastWords is the reason that a runner gave, or else its last line.
func lastWords(stderr, otherwise string) string {
	last := ""
	for line := range strings.Lines(stderr) {
		if why, ok := strings.CutPrefix(line, ExitMark); ok {
			return strings.TrimSpace(why)
		}
		if line = strings.TrimSpace(line); line != "" {
			last = line
		}
	}
	if last == "" {
		return otherwise
	}
	return otherwise + ": " + last
}
