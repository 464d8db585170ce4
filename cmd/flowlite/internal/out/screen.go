package out

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// screen writes to a terminal what is safe to show. Names, messages and log lines
// are other people's texts: an escape sequence among them could rewrite what stands
// above, set the clipboard or the title, or type an answer into the shell. Colors
// and our own erasing of a line pass; any other control is shown by its code.
type screen struct {
	file *os.File
	to   io.Writer // file, but for tests

	mu      sync.Mutex
	pending []byte // an unfinished escape sequence or character
	colored bool   // a color is on
}

// sgr is what sets colors and weights. Concealed text (8) does not pass, and so
// does nothing that a terminal would answer.
var sgr = regexp.MustCompile(
	`^\x1b\[((?:[0-79]|2[1-9]|[34][0-79]|9[0-7]|10[0-7]|[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3})(?:;(?:[0-79]|2[1-9]|[34][0-79]|9[0-7]|10[0-7]|[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3}))*)?m`,
)

// maxEscape is how long an unfinished sequence is waited for.
const maxEscape = 64

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := slices.Concat(s.pending, p)
	s.pending = nil
	var out bytes.Buffer
	for len(text) > 0 {
		n := s.next(&out, text)
		if n == 0 {
			s.pending = bytes.Clone(text)
			break
		}
		text = text[n:]
	}
	if _, err := s.to.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// next handles one character or sequence and returns its length; 0 if the rest of
// it is still to come.
func (s *screen) next(out *bytes.Buffer, text []byte) int {
	switch c := text[0]; {
	case bytes.HasPrefix(text, []byte(eraseLine)):
		out.WriteString(eraseLine)
		return len(eraseLine)
	case c == '\r' && len(text) > 1 && text[1] == '\n':
		return 1
	case c == '\r' && len(text) < len(eraseLine) && bytes.HasPrefix([]byte(eraseLine), text):
		return 0
	case c == '\n':
		if s.colored { // a color ends with its line
			out.WriteString("\x1b[0m")
			s.colored = false
		}
		out.WriteByte(c)
		return 1
	case c == '\t' || c >= ' ' && c < 0x7f:
		out.WriteByte(c)
		return 1
	case c == '\x1b':
		if m := sgr.Find(text); m != nil {
			out.Write(m)
			s.colored = !bytes.Equal(m, []byte("\x1b[0m")) && !bytes.Equal(m, []byte("\x1b[m"))
			return len(m)
		}
		if len(text) < maxEscape && unfinished.Match(text) {
			return 0
		}
	case c >= utf8.RuneSelf:
		if !utf8.FullRune(text) {
			return 0
		}
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			out.WriteRune(utf8.RuneError)
			return 1
		}
		if harmful(r) {
			out.WriteString(code(r))
		} else {
			out.Write(text[:n])
		}
		return n
	}
	out.WriteString(code(rune(text[0])))
	return 1
}

// unfinished is the beginning of a color.
var unfinished = regexp.MustCompile(`^\x1b(\[[0-9;]*)?$`)

// harmful are the controls beyond ASCII, some of which terminals take for escape
// sequences, and what turns the direction of the text around.
func harmful(r rune) bool {
	return r < 0xa0 || r == 0x2028 || r == 0x2029 || unicode.Is(unicode.Bidi_Control, r)
}

// fileOf is the file that w writes to, if it is one.
func fileOf(w io.Writer) (*os.File, bool) {
	if s, ok := w.(*screen); ok {
		return s.file, true
	}
	f, ok := w.(*os.File)
	return f, ok
}

// safe is w, through a screen if it is a terminal.
func safe(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && isTerminal(f) {
		return &screen{file: f, to: f}
	}
	return w
}
