package views

import (
	"bytes"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// ArtifactName is the key, or what else tells it from others.
func ArtifactName(a *core.Artifact) string {
	if k := core.Deref(a.Key); k != "" {
		return k
	}
	if t := core.Deref(a.Type); t != "" {
		return t + " " + shortID(a.ID)
	}
	return shortID(a.ID)
}

// textOf is data that is text, or its JSON.
func textOf(data core.JSON) string {
	var s string
	if json.Unmarshal(data, &s) == nil {
		return core.PlainText(s)
	}
	return string(data)
}

func progressOf(data core.JSON) float64 {
	v, err := strconv.ParseFloat(textOf(data), 64)
	if err != nil || math.IsNaN(v) {
		return 0
	}
	return math.Round(10*min(100, max(0, v))) / 10
}

type cell struct {
	text   string
	number bool
}

type table struct {
	head []string
	rows [][]cell
	most int // rows that are kept
	more int // rows beyond them
}

const maxTableRows = 200

// readTable reads a list of objects, a list of lists, or an object of columns;
// Python stores any of them as text. nil is what is no table.
func readTable(data core.JSON) *table { return readTableUpTo(data, maxTableRows) }

func readTableUpTo(data core.JSON, rows int) *table {
	raw := []byte(data)
	var s string
	if json.Unmarshal(raw, &s) == nil {
		raw = []byte(s)
	}
	if t := rowTable(raw, rows); t != nil {
		return t
	}
	var lists [][]any
	if core.Unmarshal(raw, &lists) == nil && len(lists) > 0 {
		t := &table{most: rows}
		for _, h := range lists[0] {
			t.head = append(t.head, cellOf(h).text)
		}
		for _, l := range lists[1:] {
			t.add(len(l), func(i int) any { return l[i] })
		}
		return t
	}
	var columns map[string][]any
	if core.Unmarshal(raw, &columns) == nil && len(columns) > 0 {
		t := &table{head: keys(raw), most: rows}
		n := 0
		for _, c := range columns {
			n = max(n, len(c))
		}
		for i := range n {
			t.add(len(t.head), func(j int) any {
				if c := columns[t.head[j]]; i < len(c) {
					return c[i]
				}
				return nil
			})
		}
		return t
	}
	return nil
}

func rowTable(raw []byte, most int) *table {
	var objects []json.RawMessage
	if json.Unmarshal(raw, &objects) != nil || len(objects) == 0 {
		return nil
	}
	t := &table{most: most}
	rows := make([]map[string]any, len(objects))
	for i, o := range objects {
		if core.Unmarshal(o, &rows[i]) != nil {
			return nil
		}
		if i < 20 || len(t.head) == 0 {
			for _, k := range keys(o) {
				if !slices.Contains(t.head, k) {
					t.head = append(t.head, k)
				}
			}
		}
	}
	for _, r := range rows {
		t.add(len(t.head), func(i int) any { return r[t.head[i]] })
	}
	return t
}

func (t *table) add(n int, at func(int) any) {
	if len(t.rows) >= t.most {
		t.more++
		return
	}
	row := make([]cell, n)
	for i := range row {
		row[i] = cellOf(at(i))
	}
	t.rows = append(t.rows, row)
}

// numeric says whether a column begins with a number: its head then stands
// over the numbers' end.
func (t *table) numeric(i int) bool {
	return len(t.rows) > 0 && i < len(t.rows[0]) && t.rows[0][i].number
}

func cellOf(v any) cell {
	switch x := v.(type) {
	case nil:
		return cell{}
	case string:
		return cell{text: core.PlainText(x)}
	case json.Number:
		return cell{text: string(x), number: true}
	case bool:
		return cell{text: strconv.FormatBool(x)}
	}
	return cell{text: string(core.ToJSON(v))}
}

// keys of a JSON object in the order they were written.
func keys(raw []byte) []string {
	d := json.NewDecoder(bytes.NewReader(raw))
	var out []string
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			break
		}
		s, _ := k.(string)
		out = append(out, s)
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			break
		}
	}
	return out
}

// artifactTypes are the choices of the list's filter.
var artifactTypes = []string{"markdown", "table", "link", "progress", "image", "result"}

// ArtifactsView is the list of artifacts.
type ArtifactsView struct {
	Artifacts []*core.Artifact
	Runs      map[core.UUID]Run
	Paging    Paging
	Q, Type   string
	All       bool // each artifact, not the latest of each key
}

func (d ArtifactsView) filtered() bool { return d.Q != "" || d.Type != "" }

// viewPath is the same list with or without the older ones.
func (d ArtifactsView) viewPath(all bool) string {
	q := url.Values{}
	if d.Q != "" {
		q.Set("q", d.Q)
	}
	if d.Type != "" {
		q.Set("type", d.Type)
	}
	if all {
		q.Set("view", "all")
	}
	return "/artifacts?" + q.Encode()
}

// ArtifactView is one artifact, among those of its key.
type ArtifactView struct {
	*core.Artifact
	Task    *core.TaskRun
	Runs    map[core.UUID]Run
	History []*core.Artifact // newest first, itself with them
	Paging  Paging
	Other   *core.Artifact // compared with
}

func (d ArtifactView) path() string { return "/artifacts/" + d.ID.String() }

// older and newer are the two that are compared.
func (d ArtifactView) older() *core.Artifact {
	if d.Other.Created > d.Created {
		return d.Artifact
	}
	return d.Other
}

func (d ArtifactView) newer() *core.Artifact {
	if d.Other.Created > d.Created {
		return d.Other
	}
	return d.Artifact
}

// gist is what a list shows of an artifact.
func gist(a *core.Artifact) string {
	s := core.PlainText(core.Deref(a.Description))
	if s == "" && core.Deref(a.Type) != "table" {
		s = textOf(a.Data)
	}
	if core.Deref(a.Type) == "table" && s == "" {
		if t := readTable(a.Data); t != nil {
			s = plural(len(t.rows)+t.more, "row", "rows")
		}
	}
	if t := core.Deref(a.Type); t == "markdown" || t == "link" {
		s = marks.Replace(s)
	}
	return cut(strings.Join(strings.Fields(cut(s, 400)), " "), 120)
}

// marks are signs of markdown that say nothing in a line of text.
var marks = strings.NewReplacer("#", "", "**", "", "`", "", "|", " ", "---", "")
