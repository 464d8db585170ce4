package page

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/compress"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// IgnoreMissing drops the error of a record that is not there.
func IgnoreMissing(err error) error {
	if core.IsNotFound(err) {
		return nil
	}
	return err
}

// Handler answers a request; its error becomes a page or a toast.
type Handler func(w http.ResponseWriter, r *http.Request) error

// maxForm is the largest post that is read.
const maxForm = 4 << 20

// serve runs a handler and turns its error into a page, or into a toast.
func (k *Kit) serve(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		var err error
		if r.Method == http.MethodPost {
			err = parseForm(r)
		}
		r = r.WithContext(views.WithZone(r.Context(), Zone(r)))
		if err == nil {
			err = h(w, r)
		}
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		code, title := status(core.CodeOf(err))
		text := err.Error()
		if code == http.StatusInternalServerError {
			k.Log.Error("ui: page failed", "path", r.URL.Path, "err", err)
			text = "The server could not do this: " + text
		}
		if HX(r) {
			tone := "failed"
			if code < 500 {
				tone = "late"
			}
			_ = k.SendCode(w, r, code, Toast(views.Toast{State: tone, Text: text}))
			return
		}
		p, err := k.Page(w, r, title, "")
		if err != nil { // the database does not answer: a page without its figures
			p = k.BarePage(r, title)
		}
		_ = k.SendCode(w, r, code, views.ErrorPage(p, views.Problem{Status: code, Title: title, Text: text}))
	}
}

func status(c core.Code) (int, string) {
	switch c {
	case core.ENotFound:
		return http.StatusNotFound, "Not found"
	case core.EInvalid:
		return http.StatusUnprocessableEntity, "Not accepted"
	case core.EBadRequest:
		return http.StatusBadRequest, "Not possible"
	case core.EConflict, core.ELeaseLost, core.ELocked:
		return http.StatusConflict, "Conflict"
	case core.EForbidden, core.EUnauth:
		return http.StatusForbidden, "Not allowed"
	case core.EUnavailable:
		return http.StatusServiceUnavailable, "Not available now"
	}
	return http.StatusInternalServerError, "Something broke"
}

// Send answers with a component.
func (k *Kit) Send(w http.ResponseWriter, r *http.Request, c templ.Component) error {
	return k.SendCode(w, r, http.StatusOK, c)
}

// SendCode answers with a component and a status, gzipped where the client takes that.
func (k *Kit) SendCode(w http.ResponseWriter, r *http.Request, code int, c templ.Component) error {
	b, err := views.Render(r.Context(), c)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	compress.Pages.Write(w, r, code, b)
	return nil
}

// BarePage is a page without the figures of the navigation.
func (k *Kit) BarePage(r *http.Request, title string) views.Page {
	p := views.Page{
		Title: title, Theme: "system", Now: k.Now(), Loc: Zone(r), Path: r.URL.RequestURI(),
		Version: k.Version, Engine: map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL"}[k.Store.Engine()],
	}
	if r.Method == http.MethodGet {
		p.Zone = p.Loc.String()
	}
	if c, err := r.Cookie("fl_theme"); err == nil && slices.Contains([]string{"light", "dark"}, c.Value) {
		p.Theme = c.Value
	}
	return p
}

// Page reads the cookies, and the figures of the navigation for whole pages.
func (k *Kit) Page(w http.ResponseWriter, r *http.Request, title, nav string) (views.Page, error) {
	p := k.BarePage(r, title)
	p.Nav = nav
	if HX(r) {
		return p, nil
	}
	if _, err := r.Cookie("fl_sid"); err != nil {
		k.setCookie(w, &http.Cookie{Name: "fl_sid", Value: rand.Text(), HttpOnly: true})
	}
	if c, err := r.Cookie("fl_flash"); err == nil {
		if s, err := url.QueryUnescape(c.Value); err == nil {
			p.Flash = []views.Toast{{State: "completed", Text: s}}
		}
		k.setCookie(w, &http.Cookie{Name: "fl_flash", MaxAge: -1})
	}
	var err error
	ctx := r.Context()
	if p.Running, err = k.Store.CountFlowRuns(ctx, core.Filters{FlowRuns: ByType(core.Running)}); err != nil {
		return p, err
	}
	pools, err := k.Store.WorkPools(ctx, nil, core.Page{})
	for _, w := range pools {
		if !w.IsPaused && core.Deref(w.Status) != core.Ready {
			p.PoolsDown++
		}
	}
	return p, err
}

func (k *Kit) setCookie(w http.ResponseWriter, c *http.Cookie) {
	c.Path, c.SameSite = k.BasePath+"/", http.SameSiteLaxMode
	http.SetCookie(w, c)
}

// PathID reads the id of a path; noun names what a wrong one does not find.
func PathID(r *http.Request, noun string) (core.UUID, error) {
	id, err := core.ParseUUID(r.PathValue("id"))
	if err != nil {
		return id, core.NotFound(noun)
	}
	return id, nil
}

func parseForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			return core.Errorf(core.EInvalid, "The form is larger than %d MB; pass large data by reference.", maxForm>>20)
		}
		return core.Errorf(core.EBadRequest, "The form cannot be read: %v", err)
	}
	return nil
}

// NoPage is the error of an address that leads nowhere.
func NoPage() error { return core.Errorf(core.ENotFound, "There is no page at this address.") }
