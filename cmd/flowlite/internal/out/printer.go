package out

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/flowlite/flowlite/runtime/core"
)

// Printer knows where it prints and how.
type Printer struct {
	Out, Err io.Writer
	Format   string // auto, table, json, jsonl, yaml, name
	Terminal bool   // Out is a terminal
	Dumb     bool   // one that cannot move its cursor
	Color    bool   // of what goes to Out
	ErrColor bool
	Unicode  bool
	Width    int
	Now      func() time.Time
}

// New looks at the two writers and the environment. color is auto, always or never.
func New(stdout, stderr io.Writer, format, color string, getenv func(string) string) *Printer {
	p := &Printer{Out: safe(stdout), Err: safe(stderr), Format: format, Width: 100, Now: time.Now}
	p.Terminal = isTerminal(stdout)
	if f, ok := stdout.(*os.File); ok && p.Terminal {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			p.Width = w
		}
	}
	p.Color = wantColor(color, p.Terminal, getenv)
	p.ErrColor = wantColor(color, isTerminal(stderr), getenv)
	p.Unicode = utf8Locale(getenv)
	p.Dumb = getenv("TERM") == "dumb"
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := fileOf(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

func wantColor(color string, terminal bool, getenv func(string) string) bool {
	switch {
	case color == "always":
		return true
	case color == "never", getenv("NO_COLOR") != "":
		return false
	case getenv("CLICOLOR_FORCE") != "" && getenv("CLICOLOR_FORCE") != "0":
		return true
	}
	return terminal && getenv("TERM") != "dumb"
}

func utf8Locale(getenv func(string) string) bool {
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(k)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// ForPeople tells whether the answer is a table or a sentence.
func (p *Printer) ForPeople() bool {
	return p.Format == "auto" || p.Format == "table" || p.Format == ""
}

// List prints the rows of a list. raw is the API's own answer.
func (p *Printer) List(raw core.JSON, t *Table, names []string) error {
	switch p.Format {
	case "json", "jsonl", "yaml":
		return p.Raw(raw)
	case "name":
		return p.Names(names...)
	}
	return p.Table(t)
}

// Record prints one thing: fields for people.
func (p *Printer) Record(raw core.JSON, name string, fields []Field) error {
	switch p.Format {
	case "json", "jsonl", "yaml":
		return p.Raw(raw)
	case "name":
		return p.Names(name)
	}
	return p.Fields(fields)
}

// Say prints a sentence for people; raw and name stand for it in the other formats.
func (p *Printer) Say(raw core.JSON, name, text string, args ...any) error {
	if !p.ForPeople() {
		return p.Record(raw, name, nil)
	}
	_, err := io.WriteString(p.Out, format(text, args)+"\n")
	return err
}

// Value prints a text exactly as it is, for people and for pipes; raw and name
// stand for it in the other formats.
func (p *Printer) Value(raw core.JSON, name, text string) error {
	if !p.ForPeople() {
		return p.Record(raw, name, nil)
	}
	_, err := io.WriteString(p.Out, text+"\n")
	return err
}

// Tell prints a sentence on Out for people, and on Err where Out is wanted for data.
func (p *Printer) Tell(text string, args ...any) {
	w := p.Out
	if !p.ForPeople() {
		w = p.Err
	}
	_, _ = io.WriteString(w, format(text, args)+"\n")
}

// Raw prints JSON as it came, in the chosen format.
func (p *Printer) Raw(raw core.JSON) error {
	if len(raw) == 0 {
		raw = core.JSON("null")
	}
	var b bytes.Buffer
	switch p.Format {
	case "yaml":
		y, err := toYAML(raw)
		if err != nil {
			return err
		}
		b.Write(y)
	case "jsonl":
		var rows []json.RawMessage
		if json.Unmarshal(raw, &rows) != nil {
			rows = []json.RawMessage{json.RawMessage(raw)}
		}
		for _, r := range rows {
			if err := json.Compact(&b, r); err != nil {
				return err
			}
			b.WriteByte('\n')
		}
	default:
		if err := json.Indent(&b, bytes.TrimSpace(raw), "", "  "); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	_, err := p.Out.Write(b.Bytes())
	return err
}

// Names prints one name a line, for xargs. A name that holds a line break is
// printed with its code, so that it cannot pass for two names.
func (p *Printer) Names(names ...string) error {
	for _, n := range names {
		if _, err := fmt.Fprintln(p.Out, word(n)); err != nil {
			return err
		}
	}
	return nil
}

// Note is for people only, on Err.
func (p *Printer) Note(text string, args ...any) {
	_, _ = io.WriteString(p.Err, format(text, args)+"\n")
}

// Hint is a note that names the next step.
func (p *Printer) Hint(text string, args ...any) {
	_, _ = io.WriteString(p.Err, paint(p.ErrColor, dim, "  hint: "+format(text, args))+"\n")
}
