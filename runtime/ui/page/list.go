package page

import (
	"net/http"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// listedRows is how many rows the plain lists show.
const listedRows = 50

// Paged reads which page of a list the address asks for. A page can have two
// lists, each with a key of its own.
func Paged(r *http.Request, path, key string) (views.Paging, core.Page) {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get(key))
	l := views.Paging{Path: path, Key: key, N: min(max(n, 1), 100_000), Size: listedRows}
	q.Del(key)
	l.Query = q.Encode()
	return l, core.Page{Limit: listedRows + 1, Offset: (l.N - 1) * listedRows}
}

// OnPage takes the row off that only told of a next page. No list counts what
// it does not show.
func OnPage[T any](l *views.Paging, rows []T) []T {
	l.More = len(rows) > l.Size
	l.Shown = min(len(rows), l.Size)
	return rows[:l.Shown]
}
