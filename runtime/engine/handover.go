package engine

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"syscall"

	"github.com/flowlite/flowlite/runtime/core"
)

// HandedRun returns the flow run that the worker which started this process has
// handed to it, so that the server need not be asked for it again. Nil means
// that there is none: workers of earlier versions hand over only its id.
func HandedRun(id core.UUID) *core.FlowRun {
	fd, err := strconv.Atoi(os.Getenv(core.FlowRunEnv))
	_ = os.Unsetenv(core.FlowRunEnv)
	if err != nil {
		return nil
	}
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "flow run of the worker")
	if f == nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil
	}
	var run core.FlowRun
	if json.Unmarshal(text, &run) != nil || run.ID != id {
		return nil
	}
	return &run
}
