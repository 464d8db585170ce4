package build

import (
	"strings"
)

// Error is a failed compilation: the first line that says what is wrong, and
// all that the toolchain printed.
type Error struct {
	First  string
	Output string
}

func (e *Error) Error() string { return "build failed: " + e.First }

func compileError(output string, err error) *Error {
	e := &Error{Output: strings.TrimSpace(output)}
	for line := range strings.Lines(e.Output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "go: downloading") {
			continue
		}
		e.First = line
		break
	}
	if e.First == "" {
		e.First = err.Error()
	}
	if e.Output == "" {
		e.Output = e.First
	}
	return e
}
