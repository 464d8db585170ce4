package python

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Interpreter finds the interpreter for code in dir: the named one (a command,
// a path from base, or a virtual environment's folder), else that of the active virtual
// environment, else one at .venv or venv in dir or above, else python3 of PATH.
func Interpreter(dir, base, named string) (string, error) {
	if named != "" {
		return explicit(base, named)
	}
	if venv := os.Getenv("VIRTUAL_ENV"); venv != "" {
		if p := within(venv); p != "" {
			return p, nil
		}
	}
	for d := dir; ; d = filepath.Dir(d) {
		for _, name := range []string{".venv", "venv"} {
			venv := filepath.Join(d, name)
			if _, err := os.Stat(filepath.Join(venv, "pyvenv.cfg")); err == nil {
				if p := within(venv); p != "" {
					return p, nil
				}
			}
		}
		if d == filepath.Dir(d) {
			break
		}
	}
	for _, name := range []string{"python3", "python"} {
		if p, err := exec.LookPath(name); err == nil {
			return filepath.Abs(p)
		}
	}
	return "", core.Errorf(
		core.EInvalid,
		"%w, and no .venv at %s or above; install Python, or name one in the job variable python or in the worker's settings",
		ErrNoPython,
		dir,
	)
}

// What a machine may lack, as causes of errors.
var (
	ErrNoPython  = errors.New("there is no Python interpreter in PATH")
	ErrNoPrefect = errors.New("the interpreter cannot import Prefect")
)

// NoPrefectExit is how the runner exits when it cannot import Prefect.
const NoPrefectExit = 78

func explicit(base, named string) (string, error) {
	if !strings.ContainsRune(named, filepath.Separator) {
		if p, err := exec.LookPath(named); err == nil {
			return filepath.Abs(p)
		}
	}
	path := named
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, _ := os.UserHomeDir()
		path = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && st.IsDir():
		if p := within(path); p != "" {
			return p, nil
		}
		return "", core.Errorf(
			core.EInvalid,
			"the Python interpreter %s is a folder without bin/python; name an interpreter or a virtual environment",
			named,
		)
	case err != nil:
		return "", core.Errorf(
			core.EInvalid,
			"there is no Python interpreter %s; name another one in the job variable python or in the worker's settings",
			named,
		)
	case st.Mode()&0o111 == 0:
		return "", core.Errorf(
			core.EInvalid,
			"%s is not executable, so it is no Python interpreter; name another one in the job variable python or in the worker's settings",
			path,
		)
	}
	// Not resolved further: a virtual environment's python is a link, and is
	// known by the link's place.
	return path, nil
}

// within is the interpreter of a virtual environment.
func within(venv string) string {
	for _, name := range []string{"python3", "python"} {
		p := filepath.Join(venv, "bin", name)
		if st, err := os.Stat(p); err == nil && !st.IsDir() && st.Mode()&0o111 != 0 {
			return p
		}
	}
	return ""
}
