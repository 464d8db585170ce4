package out

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	dim    = "2"
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	orange = "38;5;208"
	grey   = "90"
)

func paint(on bool, code, s string) string {
	if !on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *Printer) Dim(s string) string  { return paint(p.Color, dim, s) }
func (p *Printer) Bold(s string) string { return paint(p.Color, bold, s) }

// Red is for the word error, on Err.
func (p *Printer) Red(s string) string { return paint(p.ErrColor, red, s) }

// State is a state's name with its glyph, coloured as in the UI.
func (p *Printer) State(t core.StateType, name string) string {
	glyph, ascii, color := look(t, name)
	if !p.Unicode {
		glyph = ascii
	}
	if name == "" {
		name = t.Name()
	}
	return paint(p.Color, color, glyph+" "+name)
}

func look(t core.StateType, name string) (glyph, ascii, color string) {
	switch t {
	case core.Completed:
		return "✓", "+", green
	case core.Running:
		return "●", "*", blue
	case core.Failed:
		return "✗", "x", red
	case core.Crashed:
		return "▲", "!", orange
	case core.Cancelled, core.Cancelling:
		return "⊘", "-", grey
	case core.Paused:
		return "‖", "=", yellow
	}
	if name == core.NameLate {
		return "◷", "@", red
	}
	return "◷", "@", yellow
}

// Status is the word of a pool, queue, worker or deployment.
func (p *Printer) Status(s string) string {
	color, glyph, ascii := yellow, "○", "o"
	switch s {
	case core.Ready, core.Online:
		color, glyph, ascii = green, "●", "*"
	case core.StatusPaused:
		color, glyph, ascii = grey, "‖", "="
	case "":
		return p.Dim("-")
	}
	if !p.Unicode {
		glyph = ascii
	}
	return paint(p.Color, color, glyph+" "+strings.ToLower(strings.ReplaceAll(s, "_", " ")))
}

// Level is a log level's word, padded.
func (p *Printer) Level(level int64) string {
	s := core.LevelName(level)
	if s == "WARNING" {
		s = "WARN"
	}
	s += strings.Repeat(" ", max(0, 5-len(s)))
	switch {
	case level >= 40:
		return paint(p.Color, red, s)
	case level >= 30:
		return paint(p.Color, yellow, s)
	case level >= 20:
		return s
	}
	return paint(p.Color, dim, s)
}
