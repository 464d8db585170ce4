package out

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// Column of a table. The first column, and those with Keep, stay when the
// terminal is too narrow; others go from the right.
type Column struct {
	Name  string
	Right bool // numbers
	Keep  bool
}

type Table struct {
	Columns []Column
	Rows    [][]string
	Empty   string // said on Err when there are no rows
}

// Field is one line of a detail view; empty values are left out.
type Field struct{ Name, Value string }

var ansi = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("\x1b\\[[0-9;]*m") })

func plain(s string) string {
	if !strings.Contains(s, "\x1b") {
		return s
	}
	return ansi().ReplaceAllString(s, "")
}

func width(s string) int { return utf8.RuneCountInString(plain(s)) }

// Table prints borderless columns on a terminal or with -o table, and
// tab-separated rows without a header in a pipe.
func (p *Printer) Table(t *Table) error {
	var b bytes.Buffer
	if !p.Terminal && p.Format != "table" {
		for _, r := range t.Rows {
			b.WriteString(strings.Join(clean(r), "\t") + "\n")
		}
		_, err := p.Out.Write(b.Bytes())
		return err
	}
	if len(t.Rows) == 0 {
		if t.Empty != "" {
			p.Note("%s", t.Empty)
		}
		return nil
	}
	p.layout(&b, t)
	_, err := p.Out.Write(b.Bytes())
	return err
}

func clean(row []string) []string {
	c := make([]string, len(row))
	for i, s := range row {
		c[i] = Line(s)
	}
	return c
}

func (p *Printer) layout(b *bytes.Buffer, t *Table) {
	widths := make([]int, len(t.Columns))
	rows := make([][]string, len(t.Rows))
	for i, c := range t.Columns {
		widths[i] = width(c.Name)
	}
	for r, row := range t.Rows {
		rows[r] = clean(row)
		for i, s := range rows[r] {
			widths[i] = max(widths[i], width(s))
		}
	}
	shown := make([]bool, len(t.Columns))
	total := -2
	for i := range shown {
		shown[i] = true
		total += widths[i] + 2
	}
	for i := len(shown) - 1; i > 0 && total > p.Width; i-- {
		if !t.Columns[i].Keep {
			shown[i] = false
			total -= widths[i] + 2
		}
	}
	for total > p.Width { // names give way in the middle, the widest first
		w := 0
		for i := range widths {
			if shown[i] && widths[i] > widths[w] {
				w = i
			}
		}
		if widths[w] <= 12 {
			break
		}
		cut := min(total-p.Width, widths[w]-12)
		widths[w] -= cut
		total -= cut
	}
	p.line(b, t, shown, widths, nil)
	for _, row := range rows {
		p.line(b, t, shown, widths, row)
	}
}

func (p *Printer) line(b *bytes.Buffer, t *Table, shown []bool, widths []int, row []string) {
	var line strings.Builder
	for i, c := range t.Columns {
		if !shown[i] {
			continue
		}
		s := strings.ToUpper(c.Name)
		if row != nil {
			s = row[i]
		}
		if width(s) > widths[i] {
			s = p.middle(plain(s), widths[i])
		}
		pad := strings.Repeat(" ", widths[i]-width(s))
		if row == nil {
			s = p.Dim(s)
		}
		if c.Right {
			s = pad + s
		} else {
			s += pad
		}
		if line.Len() > 0 {
			line.WriteString("  ")
		}
		line.WriteString(s)
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

func (p *Printer) middle(s string, n int) string {
	dots := "…"
	if !p.Unicode {
		dots = ".."
	}
	r := []rune(s)
	keep := n - len([]rune(dots))
	head := (keep + 1) / 2
	return string(r[:head]) + dots + string(r[len(r)-(keep-head):])
}

// Fields prints a detail view.
func (p *Printer) Fields(fields []Field) error {
	w := 0
	for _, f := range fields {
		if f.Value != "" {
			w = max(w, width(Line(f.Name)))
		}
	}
	var b bytes.Buffer
	for _, f := range fields {
		if f.Value == "" {
			continue
		}
		name := Line(f.Name)
		b.WriteString(p.Dim(name) + strings.Repeat(" ", w-width(name)+2) + indented(f.Value, strings.Repeat(" ", w+2)) + "\n")
	}
	_, err := p.Out.Write(b.Bytes())
	return err
}
