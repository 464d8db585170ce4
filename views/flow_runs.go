package views

import (
	"net/url"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

func (d RunsView) filtered() bool {
	return len(d.States) > 0 || d.Flow+d.Deployment+d.Tag+d.Pool+d.Parent+d.Subflows != "" || d.Range == "custom"
}

// more is how many of the filters under More are set.
func (d RunsView) more() (n int) {
	for _, s := range []string{d.Tag, d.Subflows, when(d.Range == "custom", "1")} {
		if s != "" {
			n++
		}
	}
	return n
}

// without is the list without some of its parameters.
func (d RunsView) without(keys ...string) string {
	u, _ := url.ParseQuery(d.Query)
	for _, k := range keys {
		u.Del(k)
	}
	return "/runs?" + u.Encode()
}

func (d RunsView) allTime() string {
	u, _ := url.ParseQuery(d.Query)
	u.Del("from")
	u.Del("to")
	u.Set("range", "all")
	return "/runs?" + u.Encode()
}

// at is the list from a cursor on.
func (d RunsView) at(key, cursor string) string {
	u, _ := url.ParseQuery(d.Query)
	u.Set(key, cursor)
	return "/runs?" + u.Encode()
}

// dropParam is the list without one value of a filter.
func dropParam(query, key, value string) string {
	u, _ := url.ParseQuery(query)
	u[key] = slices.DeleteFunc(u[key], func(x string) bool { return x == value })
	return "/runs?" + u.Encode()
}

func sortWords(sort string) string {
	switch sort {
	case "oldest":
		return "oldest first"
	case "ended":
		return "last ended first"
	case "name":
		return "by name"
	case "name_desc":
		return "by name, from the end"
	}
	return "newest first"
}

func pairs(names []string) [][2]string {
	out := make([][2]string, len(names))
	for i, n := range names {
		out[i] = [2]string{n, n}
	}
	return out
}

// local is a time as a field of the reader's clock has it.
func (p Page) local(t core.Time) string {
	if t == 0 {
		return ""
	}
	return t.Time().In(p.Loc).Format("2006-01-02T15:04:05")
}
