package core

import (
	"regexp"
	"strconv"
	"strings"
)

// TextStyle is how a terminal would show a stretch of text.
type TextStyle struct {
	Color                          uint8 // 1 to 16 for the colors 0 to 15 of a terminal; 0 is its default
	Bold, Faint, Italic, Underline bool
}

// TextSpan is text of one style.
type TextSpan struct {
	TextStyle
	Text string
}

// The parts of terminal output that are not text. queries/plain.go has the same
// grammar in SQL.
const (
	escapeSequence = `(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]?` + // CSI; styles are among these
		`|(?:\x1b[\]PX^_]|[\x{90}\x{98}\x{9d}-\x{9f}])[^\x07\x1b\x{9c}\n]*(?:\x07|\x1b\\|\x{9c})?` + // titles, links and other strings
		`|\x1b[ -/]*[0-~]?`
	terminalControl = `[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x{9f}]`
)

var (
	notText    = regexp.MustCompile(escapeSequence + "|" + terminalControl + `|\r`)
	maybeStyle = regexp.MustCompile(`^(?:\x1b\[|\x{9b})([0-9;:]*)m$`)
)

// isText says that text has nothing of a terminal's, which is nearly always so.
func isText(text string) bool {
	for i := range len(text) {
		// 0xc2 begins the controls from U+0080 on, and other letters.
		if c := text[i]; c < ' ' && c != '\n' && c != '\t' || c == 0x7f || c == 0xc2 {
			return false
		}
	}
	return true
}

// PlainText returns what a terminal would leave on its screen of text: without
// escape sequences and control characters, and of a line that carriage returns
// wrote several times, the last.
func PlainText(text string) string {
	if isText(text) {
		return text
	}
	var b strings.Builder
	for _, s := range TextSpans(text) {
		b.WriteString(s.Text)
	}
	return b.String()
}

// TextSpans is PlainText with its styles. Colors beyond the 16 of a terminal
// become the nearest of these, which a page can show on light and dark.
func TextSpans(text string) []TextSpan {
	if isText(text) {
		if text == "" {
			return nil
		}
		return []TextSpan{{Text: text}}
	}
	w := spanWriter{}
	var style TextStyle
	for text != "" {
		at := notText.FindStringIndex(text)
		if at == nil {
			w.write(style, text)
			break
		}
		w.write(style, text[:at[0]])
		sequence := text[at[0]:at[1]]
		if sequence == "\r" {
			w.returned = true
		} else if m := maybeStyle.FindStringSubmatch(sequence); m != nil {
			style.apply(m[1])
		}
		text = text[at[1]:]
	}
	return w.spans
}

// spanWriter joins text of one style, and begins the line again when text comes
// after a carriage return.
type spanWriter struct {
	spans    []TextSpan
	returned bool
}

func (w *spanWriter) write(style TextStyle, text string) {
	if text == "" {
		return
	}
	if w.returned && text[0] != '\n' {
		w.dropLine()
	}
	w.returned = false
	if n := len(w.spans); n > 0 && w.spans[n-1].TextStyle == style {
		w.spans[n-1].Text += text
		return
	}
	w.spans = append(w.spans, TextSpan{style, text})
}

func (w *spanWriter) dropLine() {
	for len(w.spans) > 0 {
		last := &w.spans[len(w.spans)-1]
		if i := strings.LastIndexByte(last.Text, '\n'); i >= 0 {
			last.Text = last.Text[:i+1]
			return
		}
		w.spans = w.spans[:len(w.spans)-1]
	}
}

// apply changes the style as the parameters of an SGR sequence say. What is not
// known is ignored; a color that is cut off ends the sequence.
func (s *TextStyle) apply(params string) {
	list := strings.Split(params, ";")
	for len(list) > 0 {
		p := list[0]
		list = list[1:]
		if sub := strings.Split(p, ":"); len(sub) > 1 { // 38:2::R:G:B
			if sub[0] == "38" {
				s.Color, _ = extendedColor(sub[1:], len(sub) > 5)
			}
			continue
		}
		n, err := strconv.Atoi("0" + p)
		if err != nil {
			continue
		}
		switch {
		case n == 0:
			*s = TextStyle{}
		case n == 1:
			s.Bold = true
		case n == 2:
			s.Faint = true
		case n == 3:
			s.Italic = true
		case n == 4:
			s.Underline = true
		case n == 22:
			s.Bold, s.Faint = false, false
		case n == 23:
			s.Italic = false
		case n == 24:
			s.Underline = false
		case n >= 30 && n <= 37:
			s.Color = uint8(n - 30 + 1)
		case n >= 90 && n <= 97:
			s.Color = uint8(n - 90 + 9)
		case n == 39:
			s.Color = 0
		case n == 38 || n == 48 || n == 58:
			color, used := extendedColor(list, false)
			if used == 0 {
				return
			}
			if n == 38 {
				s.Color = color
			}
			list = list[used:]
		}
	}
}

// extendedColor reads "5;N" or "2;R;G;B", and says how many parameters that
// are; 0 if it is neither.
func extendedColor(list []string, space bool) (color uint8, used int) {
	at := func(i int) int {
		n, err := strconv.Atoi("0" + list[i])
		if err != nil || n > 255 {
			return 255
		}
		return n
	}
	switch {
	case len(list) >= 2 && list[0] == "5":
		return paletteColor(at(1)), 2
	case len(list) >= 4 && list[0] == "2":
		from := 1
		if space { // the number of a color space comes first
			from = 2
		}
		return nearestColor(at(from), at(from+1), at(from+2)), 4
	}
	return 0, 0
}

// paletteColor is a color of the 256 of a terminal: 16, a cube of 6 by 6 by 6,
// and 24 grays.
func paletteColor(n int) uint8 {
	switch {
	case n < 16:
		return uint8(n + 1)
	case n < 232:
		level := func(i int) int { return []int{0, 95, 135, 175, 215, 255}[i%6] }
		return nearestColor(level((n-16)/36), level((n-16)/6), level(n-16))
	}
	gray := 8 + 10*(n-232)
	return nearestColor(gray, gray, gray)
}

// terminalColors are the 16 of xterm.
var terminalColors = [16][3]int{
	{0, 0, 0}, {205, 0, 0}, {0, 205, 0}, {205, 205, 0}, {0, 0, 238}, {205, 0, 205}, {0, 205, 205}, {229, 229, 229},
	{127, 127, 127}, {255, 0, 0}, {0, 255, 0}, {255, 255, 0}, {92, 92, 255}, {255, 0, 255}, {0, 255, 255}, {255, 255, 255},
}

func nearestColor(r, g, b int) uint8 {
	best, least := 0, 1<<30
	for i, c := range terminalColors {
		if d := (c[0]-r)*(c[0]-r) + (c[1]-g)*(c[1]-g) + (c[2]-b)*(c[2]-b); d < least {
			best, least = i, d
		}
	}
	return uint8(best + 1)
}
