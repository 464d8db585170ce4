package core

import "strings"

// ShellCommand joins words to a command line that a shell takes apart into the
// same words.
func ShellCommand(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = ShellWord(w)
	}
	return strings.Join(quoted, " ")
}

// ShellWord returns s as one word of a shell's command line.
func ShellWord(s string) string {
	if PlainWord(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// PlainWord reports whether a shell takes s as one word without quotes.
func PlainWord(s string) bool {
	for i, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("_-./:@%+,=", r):
		case r == '~' && i > 0: // at the beginning it is a home
		default:
			return false
		}
	}
	return s != ""
}
