package page

import (
	"net/http"
	"net/url"
	"time"

	"github.com/flowlite/flowlite/views"
)

// ParseLocal reads what a datetime-local control sends.
func ParseLocal(s string, loc *time.Location) (t time.Time, err error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err = time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	return t, err
}

// Zone is the reader's: of a form, that in which its times were typed, which is
// the zone of the page that had the form; else that of the browser.
func Zone(r *http.Request) *time.Location {
	browser := ""
	if c, err := r.Cookie("fl_tz"); err == nil {
		browser, _ = url.QueryUnescape(c.Value)
	}
	for _, name := range []string{r.PostForm.Get(views.ZoneField), browser} {
		if l := Location(name); l != nil {
			return l
		}
	}
	return time.UTC
}

// Location is the zone of a name; nil if there is none.
func Location(name string) *time.Location {
	if name == "" || name == "Local" {
		return nil
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return l
}
