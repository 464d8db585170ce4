package data

import (
	"net/http"

	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

// settings shows how the server is set up and whether it makes progress.
func (u *UI) settings(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Settings", "settings")
	if err != nil {
		return err
	}
	d := views.SettingsView{}
	if u.Facts != nil {
		f := u.Facts()
		d.Server = &f
	}
	if d.Database, err = u.Store.Facts(r.Context()); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.SettingsBody(p, d))
	}
	return u.Send(w, r, views.SettingsPage(p, d))
}
