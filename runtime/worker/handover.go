package worker

import (
	"encoding/json"
	"os"

	"github.com/flowlite/flowlite/runtime/core"
)

// runFD is the descriptor from which the process reads its flow run.
const runFD = "4"

// handover is a pipe that gives a process the flow run of the claim. Parameters
// may be larger than an argument can be, and may be secret, so they stand
// neither in the command line nor in the environment. See engine.HandedRun.
type handover struct {
	ours   *os.File
	theirs *os.File // the process's end
}

func newHandover(r *core.FlowRun) (*handover, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		// An error is that of a process which ended without reading, or of Close.
		_, _ = ours.Write(text)
		_ = ours.Close()
	}()
	return &handover{ours, theirs}, nil
}

// Close ends the handover to a process that has not read.
func (h *handover) Close() {
	_ = h.theirs.Close()
	_ = h.ours.Close()
}
