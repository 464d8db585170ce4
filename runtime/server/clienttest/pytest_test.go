package clienttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// outcome of one case, as cases/conftest.py writes it.
type outcome struct {
	Name    string  `json:"name"`
	Outcome string  `json:"outcome"` // passed, failed, skipped
	Seconds float64 `json:"seconds"`
	Text    string  `json:"text"`
}

func pytest(t *testing.T, p prefect, apiURL, file string) ([]outcome, []byte, error) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.jsonl")
	if err := os.WriteFile(report, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-m", "pytest", "-q", "--tb=short", "--show-capture=stderr", "-p", "no:cacheprovider", "--timeout", "90", "--basetemp", filepath.Join(t.TempDir(), "py"), filepath.Base(file)}
	if k := os.Getenv("FLOWLITE_TEST_CASES"); k != "" {
		args = append(args, "-k", k)
	}
	cmd := command(t, 10*time.Minute, p.bin("python"), args...)
	cmd.Dir = filepath.Dir(file)
	cmd.Env = append(environment(t, p, apiURL), "FLOWLITE_CASES_REPORT="+report)
	out, err := cmd.CombinedOutput()
	endGroup(cmd) // what a case left behind
	cases, readErr := readReport(report)
	if readErr != nil {
		t.Errorf("report of the cases: %v", readErr)
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 5 && os.Getenv("FLOWLITE_TEST_CASES") != "" {
		err = nil // nothing in this file has the name that was asked for
	}
	return cases, out, err
}

func readReport(path string) (all []outcome, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return all, err
		}
		all = append(all, o)
	}
	return all, lines.Err()
}

func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { endGroup(cmd); return nil }
}

func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
