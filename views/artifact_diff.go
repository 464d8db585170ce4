package views

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/flowlite/flowlite/runtime/core"
)

// diffLine is a line or a row that was added, removed, or is the same.
type diffLine struct {
	sign string // "+", "−" or ""
	text string
	row  []string // of a table
}

// diff tells two artifacts apart: tables by their rows, anything else by lines.
type diff struct {
	head           []string // of a table
	hunks          [][]diffLine
	added, removed int
	tooLarge       bool
}

const (
	// maxCompared bounds what is compared; beyond it a page would not answer at once.
	maxCompared = 256 << 10
	diffContext = 3
	maxDiffRows = 20_000
)

func compare(was, is *core.Artifact) diff {
	if core.Deref(was.Type) == "table" && core.Deref(is.Type) == "table" {
		a, b := readTableUpTo(was.Data, maxDiffRows), readTableUpTo(is.Data, maxDiffRows)
		if a != nil && b != nil && slices.Equal(a.head, b.head) && a.more+b.more == 0 {
			return tableDiff(a, b)
		}
	}
	return lineDiff(diffText(was), diffText(is))
}

func tableDiff(a, b *table) diff {
	d := lineDiff(rowLines(a), rowLines(b))
	d.head = a.head
	for _, h := range d.hunks {
		for i := range h {
			_ = json.Unmarshal([]byte(h[i].text), &h[i].row)
		}
	}
	return d
}

// rowLines writes each row as a line of JSON.
func rowLines(t *table) string {
	var b strings.Builder
	for _, r := range t.rows {
		texts := make([]string, len(r))
		for i, c := range r {
			texts[i] = c.text
		}
		b.Write(core.ToJSON(texts))
		b.WriteByte('\n')
	}
	return b.String()
}

// diffText is what people compare: text as it is, JSON indented.
func diffText(a *core.Artifact) string {
	s := textOf(a.Data)
	var b bytes.Buffer
	if json.Indent(&b, []byte(s), "", "  ") == nil {
		s = b.String()
	}
	return strings.TrimSuffix(s, "\n") + "\n"
}

func lineDiff(a, b string) (d diff) {
	if len(a) > maxCompared || len(b) > maxCompared {
		d.tooLarge = true
		return d
	}
	u, err := udiff.ToUnifiedDiff("", "", a, udiff.Lines(a, b), diffContext)
	if err != nil { // edits that do not fit the text they were made of
		d.tooLarge = true
		return d
	}
	for _, h := range u.Hunks {
		var lines []diffLine
		for _, l := range h.Lines {
			x := diffLine{text: strings.TrimSuffix(l.Content, "\n")}
			switch l.Kind {
			case udiff.Insert:
				x.sign = "+"
				d.added++
			case udiff.Delete:
				x.sign = "−"
				d.removed++
			}
			lines = append(lines, x)
		}
		d.hunks = append(d.hunks, lines)
	}
	return d
}

func (l diffLine) class() string {
	switch l.sign {
	case "+":
		return "add"
	case "−":
		return "del"
	}
	return ""
}

func (l diffLine) word() string {
	switch l.sign {
	case "+":
		return "added"
	case "−":
		return "removed"
	}
	return "same"
}
