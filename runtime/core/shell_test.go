package core

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A command that is shown to be pasted means the same words to a real shell.
func TestShellCommand(t *testing.T) {
	words := []string{"plain", "a/b", "", "two words", "it's", `"`, "$HOME", "`id`", "a;b", "a&b", "a|b", "*", "~", "~root", "a~b", "#x", "a\nb", `\`, "(x)", "!x", "é", "{a,b}", "[x]", "<x>", "-n", "a=b"}
	for _, w := range words {
		out, err := exec.Command("/bin/sh", "-c", `for w in `+ShellWord(w)+`; do printf '%s\0' "$w"; done`).Output()
		if err != nil || string(out) != w+"\x00" {
			t.Errorf("%q is written %s, which a shell reads as %q (%v)", w, ShellWord(w), out, err)
		}
	}
	out, err := exec.Command("/bin/sh", "-c", ShellCommand(append([]string{"printf", `%s\0`}, words...)...)).Output()
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); err != nil || !slices.Equal(got, words) {
		t.Errorf("%q, %v", got, err)
	}
}
