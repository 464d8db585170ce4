package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// process starts the launchable and waits for its end.
func (w *Worker) process(r *run, l *launchable) outcome {
	if l.tempDir != "" {
		defer os.RemoveAll(l.tempDir)
	}
	if r.ctx.Err() != nil {
		return outcome{}
	}
	if l.unmanaged && !w.begin(r) {
		return outcome{}
	}
	s, err := newStreams(r, l)
	if err != nil {
		return outcome{message: "start: " + err.Error(), recoverable: true, finished: true}
	}
	defer s.close()
	p, err := w.spawn(r, l, s.outW, s.errW, s.extra)
	s.closeTheirs()
	if err != nil {
		return w.notStarted(r, l, err)
	}
	go w.notePID(r, p.pid)
	tail := &tail{}
	lives, died := context.WithCancel(context.Background())
	defer died()
	drained := w.read(lives, r, l, s, tail)
	end := w.awaitExit(r, l, p)
	died()
	p.release()
	signalGroup(p.pid, syscall.SIGKILL) // whatever the run left behind
	s.drain(drained)
	if end.sent {
		w.logs.flush(shipDeadline)
	} else {
		w.logs.flush(endDeadline)
	}
	return end.outcome(l, tail.line())
}

// notStarted is the outcome of a launchable that could not be started.
func (w *Worker) notStarted(r *run, l *launchable, err error) outcome {
	if r.ctx.Err() != nil {
		return outcome{}
	}
	if l.python && core.CodeOf(err) == core.EInvalid {
		return w.refused(r, err)
	}
	return outcome{message: startError(l, err), finished: true}
}

// exit is how a process ended.
type exit struct {
	status syscall.WaitStatus
	err    error // it could not be waited for
	sent   bool  // the worker ended it
	killed bool  // and had to kill it
}

// awaitExit waits for the end of p, and ends p when the context of the run ends.
func (w *Worker) awaitExit(r *run, l *launchable, p *started) (e exit) {
	exited := make(chan error, 1)
	var status syscall.WaitStatus
	go func() {
		var err error
		status, err = p.wait()
		exited <- err
	}()
	select {
	case e.err = <-exited:
	case <-r.ctx.Done():
		e.sent = true
		if errors.Is(context.Cause(r.ctx), w.cfg.CancelCause) {
			e.killed = !w.terminate(p.pid, l.group, exited, &e.err)
		} else {
			signalGroup(p.pid, syscall.SIGKILL)
			e.err = <-exited
		}
	}
	e.status = status
	return e
}

// outcome is what the end of l's process means for its run; last is the last line
// that it wrote to standard error.
func (e exit) outcome(l *launchable, last string) outcome {
	out := exitOutcome(e.status, e.err, last, e.sent)
	out.killed = e.killed
	if l.python {
		out.recoverable = false // what a Python run has done is not known, so it is not done again by itself
	}
	out.lacks = l.python && e.status.Exited() && e.status.ExitStatus() == python.NoPrefectExit
	out.unmanaged = l.unmanaged
	out.failed = l.unmanaged && out.message != "" && !out.recoverable
	out.finished = !e.sent
	return out
}

// terminate asks nicely, then not. False means that it had to kill.
func (w *Worker) terminate(pid int, group bool, exited <-chan error, err *error) bool {
	if group {
		signalGroup(pid, syscall.SIGTERM)
	} else {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	grace := time.NewTimer(w.cfg.Grace)
	defer grace.Stop()
	select {
	case *err = <-exited:
		return true
	case <-grace.C:
		signalGroup(pid, syscall.SIGKILL)
		*err = <-exited
		return false
	}
}

// started is a process under way.
type started struct {
	pid     int
	wait    func() (syscall.WaitStatus, error)
	release func() // after its end
}

// spawn starts the launchable as a process of its own; a Python run as a child
// of its warm parent where that is possible.
func (w *Worker) spawn(r *run, l *launchable, out, errs *os.File, extra []*os.File) (*started, error) {
	if l.python {
		c, err := w.fork(r, l, out, errs, extra[0])
		if !errors.Is(err, python.ErrNoFork) {
			return c, err
		}
	}
	cmd := exec.Command(l.argv[0], l.argv[1:]...)
	cmd.Dir, cmd.Env = l.dir, l.env
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.ExtraFiles = extra
	cmd.SysProcAttr = w.cfg.RunAs.Start(attributes())
	stdin, err := cmd.StdinPipe() // held open: its end tells the process that we are gone
	if err == nil {
		err = w.start.do(cmd.Start)
	}
	if err != nil {
		return nil, w.cfg.RunAs.Explain(err, l.dir, l.argv[0])
	}
	wait := func() (syscall.WaitStatus, error) {
		err := cmd.Wait()
		if cmd.ProcessState == nil {
			return 0, err
		}
		st, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		return st, nil
	}
	return &started{pid: cmd.Process.Pid, wait: wait, release: func() { stdin.Close() }}, nil
}

// begin sets a plain command RUNNING, since nobody else would. False: not now.
func (w *Worker) begin(r *run) (ok bool) {
	w.keepTrying(r.ctx, "set the run running", func() error {
		if r.ctx.Err() != nil {
			return nil //nolint:nilerr // the run has ended: nothing to say any more
		}
		res, err := w.orch.SetFlowRunState(r.ctx, r.id(), core.StateCreate{Type: core.Running}, false)
		ok = err == nil && res.Status == core.Accept
		return err
	})
	return ok
}

func (w *Worker) notePID(r *run, pid int) {
	err := w.orch.UpdateFlowRun(r.ctx, r.id(), core.FlowRunUpdate{InfrastructurePID: core.Some(strconv.Itoa(pid))})
	if err != nil && r.ctx.Err() == nil {
		w.log.Debug("could not note the process id", "error", err)
	}
}

func startError(l *launchable, err error) string {
	if core.CodeOf(err) == core.EInvalid {
		return "could not start the flow: " + err.Error()
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Sprintf("could not start %s: permission denied; is it executable?", l.argv[0])
	}
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Sprintf("could not start %s: there is no such program", l.argv[0])
	}
	if errors.Is(err, syscall.ENOEXEC) {
		return fmt.Sprintf("could not start %s: it is not a program for this machine", l.argv[0])
	}
	return fmt.Sprintf("could not start %s: %v", l.argv[0], err)
}

// exitOutcome puts an end into words. A death by a signal that we did not send
// is the machine's doing (out of memory, an operator), so the run may resume.
func exitOutcome(st syscall.WaitStatus, err error, last string, sent bool) outcome {
	if err != nil {
		return outcome{message: fmt.Sprintf("the process could not be waited for: %v", err), recoverable: true}
	}
	if st.Signaled() {
		sig := st.Signal()
		msg := fmt.Sprintf("process killed by signal: %s (%s)", sig, signalName(sig))
		if sig == syscall.SIGKILL && !sent {
			msg += "; out of memory, or killed by somebody"
		}
		return outcome{message: msg, recoverable: !sent}
	}
	if code := st.ExitStatus(); code != 0 {
		if code == python.ExitRefused && last != "" {
			return outcome{message: last}
		}
		msg := fmt.Sprintf("process exited with code %d", code)
		if code > 128 && code < 160 { // a shell's way to say so
			msg += fmt.Sprintf(" (signal %s)", signalName(syscall.Signal(code-128)))
		}
		if last != "" {
			msg += ": " + last
		}
		return outcome{message: msg}
	}
	return outcome{}
}

func signalName(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT", syscall.SIGILL: "SIGILL",
		syscall.SIGABRT: "SIGABRT", syscall.SIGBUS: "SIGBUS", syscall.SIGFPE: "SIGFPE", syscall.SIGKILL: "SIGKILL",
		syscall.SIGSEGV: "SIGSEGV", syscall.SIGPIPE: "SIGPIPE", syscall.SIGTERM: "SIGTERM",
	}
	if n := names[s]; n != "" {
		return n
	}
	return strconv.Itoa(int(s))
}

func signalGroup(pid int, s syscall.Signal) { _ = syscall.Kill(-pid, s) }
