package views

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (d RunsView) tick(p Page, t core.Time) string {
	layout := "15:04"
	switch span := d.To.Sub(d.From); {
	case span < 8*time.Minute:
		layout = "15:04:05"
	case span > 48*time.Hour:
		layout = "2 Jan"
	}
	return t.Time().In(p.Loc).Format(layout)
}

// dropParam is the list without one value of a filter.
func dropParam(query, key, value string) string {
	u, _ := url.ParseQuery(query)
	u[key] = slices.DeleteFunc(u[key], func(x string) bool { return x == value })
	return "/runs?" + u.Encode()
}

func pageURL(query string, n int) string {
	u, _ := url.ParseQuery(query)
	u.Set("page", strconv.Itoa(n))
	return "/runs?" + u.Encode()
}
