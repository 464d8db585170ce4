package out

import (
	"fmt"
	"strings"
	"unicode"
)

// Line returns s on a single line. It shows each line break and each tab as one
// space, so that a name cannot look like a line or a column of its own.
func Line(s string) string {
	if strings.IndexFunc(s, breaks) < 0 {
		return s
	}
	var b strings.Builder
	gap := false
	for _, r := range s {
		if !breaks(r) {
			b.WriteRune(r)
		} else if !gap {
			b.WriteByte(' ')
		}
		gap = breaks(r)
	}
	return b.String()
}

// indented returns s with the given indent in front of each line but the first.
// It shows characters other than a line feed that break a line by their code.
func indented(s, indent string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r != '\t' && breaks(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range strings.ReplaceAll(strings.TrimRight(s, "\r\n"), "\r\n", "\n") {
		switch {
		case r == '\n':
			b.WriteString("\n" + indent)
		case r != '\t' && breaks(r):
			b.WriteString(code(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// word returns s with the code of each character that would end a line or a
// column. A program that reads names line by line finds no name that it was
// not given.
func word(s string) string {
	if strings.IndexFunc(s, breaks) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if breaks(r) {
			b.WriteString(code(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// breaks reports whether a terminal, or a program that reads lines or columns,
// ends a line or a column at r.
func breaks(r rune) bool {
	return r >= '\t' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
}

func code(r rune) string {
	if r <= unicode.MaxASCII {
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf("<U+%04X>", r)
}

// format is fmt.Sprintf for a sentence whose arguments come from others: their
// further lines are indented.
func format(text string, args []any) string {
	safe := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case string:
			a = indented(v, continued)
		case error:
			a = indented(v.Error(), continued)
		}
		safe[i] = a
	}
	return fmt.Sprintf(text, safe...)
}

// continued is the indent of what continues a sentence or a log entry.
const continued = "    "
