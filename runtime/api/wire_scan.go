package api

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// scan reports whether a value of j at i is what w wants without any conversion,
// and where it ends. It allocates nothing, and says no to what it does not know:
// the answer then comes from read, which is slower. j need not be valid JSON: what
// decodes it afterwards sees to that.
func (w *wire) scan(j []byte, i int) (end int, ok bool) {
	i = blank(j, i)
	if i >= len(j) {
		return i, false
	}
	if j[i] == 'n' {
		return i + len("null"), w.Null || w.Type == "any"
	}
	w = w.model()
	switch w.Type {
	case "any":
		return skip(j, i)
	case "model", "parameters":
		return w.scanModel(j, i)
	case "list", "set", "dict":
		return w.scanMany(j, i)
	case "bool":
		if bytes.HasPrefix(j[i:], []byte("true")) {
			return i + len("true"), true
		}
		return i + len("false"), bytes.HasPrefix(j[i:], []byte("false"))
	case "int", "float":
		return w.scanNumber(j, i)
	case "str", "enum", "literal", "uuid", "datetime", "instant":
		if j[i] != '"' {
			return i, false
		}
		end = textEnd(j, i)
		return end, end > 0 && w.text(j[i+1:end-1])
	case "union":
		for _, c := range w.Choices {
			if end, ok := c.scan(j, i); ok {
				return end, true
			}
		}
	}
	return i, false
}

// text reports whether s, within its quotes, is surely what w wants.
func (w *wire) text(s []byte) bool {
	if bytes.IndexByte(s, '\\') >= 0 {
		return w.Type == "str" && w.Min == nil && w.Max == nil && w.pattern == nil
	}
	switch w.Type {
	case "str":
		if n := utf8.RuneCount(s); w.Min != nil && n < *w.Min || w.Max != nil && n > *w.Max {
			return false
		}
		return w.pattern == nil || w.pattern.Match(s)
	case "enum", "literal":
		return slices.ContainsFunc(w.Values, func(v any) bool { t, ok := v.(string); return ok && t == string(s) })
	case "uuid":
		return plainUUID(s)
	}
	return plainTime(s)
}

func (w *wire) scanModel(j []byte, i int) (int, bool) {
	if j[i] != '{' {
		return i, false
	}
	var seen uint64
	i++
	for n := 0; ; n++ {
		i = blank(j, i)
		if i < len(j) && j[i] == '}' && n == 0 {
			i++
			break
		}
		end := textEnd(j, i)
		if end < 0 {
			return i, false
		}
		key := j[i+1 : end-1]
		if i = blank(j, end); i >= len(j) || j[i] != ':' || bytes.IndexByte(key, '\\') >= 0 {
			return i, false
		}
		at, f := w.fieldOf(key)
		var ok bool
		switch {
		case f != nil:
			seen |= 1 << (at & 63)
			i, ok = f.scan(j, i+1)
			if !ok && w.Type == "parameters" && !f.Required && isNull(j, i) {
				ok = true
			}
		case w.Extra == "forbid" && !w.ours[string(key)]:
			return i, false
		default:
			i, ok = skip(j, i+1)
		}
		if !ok {
			return i, false
		}
		if i = blank(j, i); i >= len(j) {
			return i, false
		}
		if j[i] == '}' {
			i++
			break
		}
		if j[i] != ',' {
			return i, false
		}
		i++
	}
	for at, f := range w.Fields {
		if f.Required && seen&(1<<(at&63)) == 0 {
			return i, false
		}
	}
	return i, true
}

// isNull: the scan that ended at i read a null.
func isNull(j []byte, i int) bool {
	return i >= len("null") && i <= len(j) && string(j[i-len("null"):i]) == "null"
}

func (w *wire) scanMany(j []byte, i int) (int, bool) {
	open, closing := byte('['), byte(']')
	if w.Type == "dict" {
		open, closing = '{', '}'
	}
	if j[i] != open || w.Type == "set" && blankEnd(j, i+1) != closing {
		return i, false
	}
	i = blank(j, i+1)
	n := 0
	for i < len(j) && j[i] != closing {
		if n++; n > 1 {
			if j[i] != ',' {
				return i, false
			}
			i = blank(j, i+1)
		}
		if w.Type == "dict" {
			if i = textEnd(j, i); i < 0 {
				return 0, false
			}
			if i = blank(j, i); i >= len(j) || j[i] != ':' {
				return i, false
			}
			i++
		}
		var ok bool
		if i, ok = w.Items.scan(j, i); !ok {
			return i, false
		}
		i = blank(j, i)
	}
	return i + 1, i < len(j) && (w.Min == nil || n >= *w.Min) && (w.Max == nil || n <= *w.Max)
}

// blankEnd is the next byte that is no space; 0 at the end.
func blankEnd(j []byte, i int) byte {
	if i = blank(j, i); i < len(j) {
		return j[i]
	}
	return 0
}

const sureDigits = 15 // of a number that int64 and float64 hold exactly

func (w *wire) scanNumber(j []byte, i int) (int, bool) {
	start, dot := i, false
	var v float64
	neg := j[i] == '-'
	if neg {
		i++
	}
	scale := 1.0
	for ; i < len(j); i++ {
		switch c := j[i]; {
		case '0' <= c && c <= '9':
			if dot {
				scale /= 10
				v += float64(c-'0') * scale
			} else {
				v = v*10 + float64(c-'0')
			}
			continue
		case c == '.' && !dot && w.Type == "float":
			dot = true
			continue
		case c == '.' || c == 'e' || c == 'E' || c == '+':
			return i, false
		}
		break
	}
	if n := i - start; n == 0 || n > sureDigits {
		return i, false
	}
	if neg {
		v = -v
	}
	bounded := w.Gt == nil && w.Ge == nil && w.Lt == nil && w.Le == nil
	return i, bounded || !dot && w.within(v) == nil
}

func blank(j []byte, i int) int {
	for i < len(j) && (j[i] == ' ' || j[i] == '\n' || j[i] == '\t' || j[i] == '\r') {
		i++
	}
	return i
}

// textEnd is behind the string that begins at i; -1 if none does.
func textEnd(j []byte, i int) int {
	if i >= len(j) || j[i] != '"' {
		return -1
	}
	for i++; i < len(j); i++ {
		switch j[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}

// skip passes over a value of any type.
func skip(j []byte, i int) (int, bool) {
	depth := 0
	for i = blank(j, i); i < len(j); {
		switch c := j[i]; {
		case c == '"':
			if i = textEnd(j, i); i < 0 {
				return 0, false
			}
		case c == '{' || c == '[':
			depth++
			i++
		case c == '}' || c == ']':
			depth--
			i++
		case depth > 0:
			i++
			continue
		default:
			for i < len(j) && j[i] != ',' && j[i] != '}' && j[i] != ']' && j[i] > ' ' {
				i++
			}
		}
		if depth <= 0 {
			return i, depth == 0
		}
	}
	return i, false
}

// plainUUID: with dashes, as most clients write it.
func plainUUID(s []byte) bool {
	if len(s) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	for i, c := range s {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// plainTime: 2026-01-02T03:04:05, with up to six decimals, and Z or an offset.
func plainTime(s []byte) bool {
	const shape = "0000-00-00T00:00:00"
	if len(s) <= len(shape) || !digits(s, shape) {
		return false
	}
	two := func(at int) int { return int(s[at]-'0')*10 + int(s[at+1]-'0') }
	// A day that not every month has is left to the reader that knows.
	if m, d := two(5), two(8); m < 1 || m > 12 || d < 1 || d > 28 || two(11) > 23 || two(14) > 59 || two(17) > 59 || two(0)+two(2) == 0 {
		return false
	}
	s = s[len(shape):]
	if s[0] == '.' {
		n := 1
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		if n == 1 || n > 7 {
			return false
		}
		s = s[n:]
	}
	if len(s) == 1 {
		return s[0] == 'Z'
	}
	return len(s) == 6 && (s[0] == '+' || s[0] == '-') && digits(s[1:], "00:00") && s[1] < '2' && s[4] < '6'
}

// digits: s begins as shape, where 0 stands for any digit.
func digits(s []byte, shape string) bool {
	for i := range len(shape) {
		if shape[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != shape[i] {
			return false
		}
	}
	return true
}
