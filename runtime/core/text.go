package core

import (
	"bytes"
	"mime"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Replacement stands for what no database of ours and no client can store:
// NUL, half a surrogate pair, and bytes that are not UTF-8.
const Replacement = "\uFFFD"

// CleanText replaces NUL and bytes that are not UTF-8. It allocates only if
// there is something to replace.
func CleanText(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, Replacement)
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", Replacement)
	}
	return s
}

// maxFileName bounds the name of a download in bytes: file systems take 255.
const maxFileName = 200

// Attachment is the Content-Disposition of a download that is named by people: a
// name without folders, control characters, and what systems reserve.
func Attachment(name, ending string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, CleanText(name))
	if len(name) > maxFileName {
		name = strings.ToValidUTF8(name[:maxFileName], "")
	}
	if name = strings.TrimLeft(name, ". -"); name == "" {
		name = "log"
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": name + ending})
}

// CleanJSON does to the strings of a JSON text what CleanText does to text:
// also where escapes stand for NUL or for half a surrogate pair. A text without
// such escapes is returned as it is.
func CleanJSON(j JSON) JSON {
	if !utf8.Valid(j) {
		j = bytes.ToValidUTF8(j, []byte(Replacement))
	}
	from := badEscape(j, 0)
	if from < 0 {
		return j
	}
	out := make(JSON, 0, len(j))
	done := 0
	for ; from >= 0; from = badEscape(j, done) {
		out = append(append(out, j[done:from]...), `\ufffd`...)
		done = from + escapeLen
	}
	return append(out, j[done:]...)
}

const escapeLen = len(`\u0000`)

// badEscape is where the next \uXXXX stands that means NUL or half a surrogate
// pair; -1 if there is none. from is not within an escape.
func badEscape(j []byte, from int) int {
	for {
		i := bytes.IndexByte(j[from:], '\\')
		if i < 0 {
			return -1
		}
		from += i
		unit, ok := escape(j[from:])
		switch {
		case !ok:
			from += 2 // another escape, like \\
		case unit == 0:
			return from
		case utf16.IsSurrogate(unit):
			low, ok := escape(j[from+escapeLen:])
			if !ok || utf16.DecodeRune(unit, low) == utf8.RuneError {
				return from
			}
			from += 2 * escapeLen
		default:
			from += escapeLen
		}
		if from >= len(j) {
			return -1
		}
	}
}

// escape reads a \uXXXX at the beginning of b.
func escape(b []byte) (unit rune, ok bool) {
	if len(b) < escapeLen || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:escapeLen] {
		unit <<= 4
		switch {
		case '0' <= c && c <= '9':
			unit |= rune(c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			unit |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return unit, true
}

// CutText keeps the beginning of a text that is too long for where it goes.
func CutText(t string, n int) string {
	if len(t) <= n {
		return t
	}
	return strings.ToValidUTF8(t[:n], "") + "…"
}
