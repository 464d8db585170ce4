package ui

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

type handler func(w http.ResponseWriter, r *http.Request) error

// maxForm is the largest post that is read.
const maxForm = 4 << 20

// serve runs a handler and turns its error into a page, or into a toast.
func (u *UI) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		var err error
		if r.Method == http.MethodPost {
			err = parseForm(r)
		}
		r = r.WithContext(views.WithZone(r.Context(), zone(r)))
		if err == nil {
			err = h(w, r)
		}
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		code, title := status(core.CodeOf(err))
		text := err.Error()
		if code == http.StatusInternalServerError {
			u.Log.Error("ui: page failed", "path", r.URL.Path, "err", err)
			text = "The server could not do this: " + text
		}
		if hx(r) {
			tone := "failed"
			if code < 500 {
				tone = "late"
			}
			_ = u.sendCode(w, r, code, toast(views.Toast{State: tone, Text: text}))
			return
		}
		p, err := u.page(w, r, title, "")
		if err != nil { // the database does not answer: a page without its figures
			p = u.barePage(r, title)
		}
		_ = u.sendCode(w, r, code, views.ErrorPage(p, views.Problem{Status: code, Title: title, Text: text}))
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

func (u *UI) send(w http.ResponseWriter, r *http.Request, c templ.Component) error {
	return u.sendCode(w, r, http.StatusOK, c)
}

var zippers = sync.Pool{New: func() any { z, _ := gzip.NewWriterLevel(nil, 4); return z }}

func (u *UI) sendCode(w http.ResponseWriter, r *http.Request, code int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if b.Len() < 1000 || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(code)
		_, _ = w.Write(b.Bytes())
		return nil
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(code)
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(w)
	_, _ = z.Write(b.Bytes())
	_ = z.Close()
	return nil
}

func (u *UI) barePage(r *http.Request, title string) views.Page {
	p := views.Page{
		Title: title, Theme: "system", Now: u.Now(), Loc: zone(r), Path: r.URL.RequestURI(),
		Version: u.Version, Engine: map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL"}[u.Store.Engine()],
	}
	if r.Method == http.MethodGet {
		p.Zone = p.Loc.String()
	}
	if c, err := r.Cookie("fl_theme"); err == nil && slices.Contains([]string{"light", "dark"}, c.Value) {
		p.Theme = c.Value
	}
	return p
}

// page reads the cookies, and the figures of the navigation for whole pages.
func (u *UI) page(w http.ResponseWriter, r *http.Request, title, nav string) (views.Page, error) {
	p := u.barePage(r, title)
	p.Nav = nav
	if hx(r) {
		return p, nil
	}
	if _, err := r.Cookie("fl_sid"); err != nil {
		u.setCookie(w, &http.Cookie{Name: "fl_sid", Value: rand.Text(), HttpOnly: true})
	}
	if c, err := r.Cookie("fl_flash"); err == nil {
		if s, err := url.QueryUnescape(c.Value); err == nil {
			p.Flash = []views.Toast{{State: "completed", Text: s}}
		}
		u.setCookie(w, &http.Cookie{Name: "fl_flash", MaxAge: -1})
	}
	var err error
	ctx := r.Context()
	if p.Running, err = u.Store.CountFlowRuns(ctx, core.Filters{FlowRuns: byType(core.Running)}); err != nil {
		return p, err
	}
	pools, err := u.Store.WorkPools(ctx, nil, core.Page{})
	for _, w := range pools {
		if !w.IsPaused && core.Deref(w.Status) != core.Ready {
			p.PoolsDown++
		}
	}
	return p, err
}

func (u *UI) setCookie(w http.ResponseWriter, c *http.Cookie) {
	c.Path, c.SameSite = u.BasePath+"/", http.SameSiteLaxMode
	http.SetCookie(w, c)
}

// zone is the reader's: of a form, that in which its times were typed, which is
// the zone of the page that had the form; else that of the browser.
func zone(r *http.Request) *time.Location {
	browser := ""
	if c, err := r.Cookie("fl_tz"); err == nil {
		browser, _ = url.QueryUnescape(c.Value)
	}
	for _, name := range []string{r.PostForm.Get(views.ZoneField), browser} {
		if l := location(name); l != nil {
			return l
		}
	}
	return time.UTC
}

// location is the zone of a name; nil if there is none.
func location(name string) *time.Location {
	if name == "" || name == "Local" {
		return nil
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return l
}

func hx(r *http.Request) bool { return r.Header.Get("HX-Request") != "" }

// redirect goes to a path of ours; htmx is told so in its own way.
func (u *UI) redirect(w http.ResponseWriter, r *http.Request, path string) error {
	to := u.BasePath + path
	if hx(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	code := http.StatusFound
	if r.Method == http.MethodPost {
		code = http.StatusSeeOther
	}
	http.Redirect(w, r, to, code)
	return nil
}

func (u *UI) flash(w http.ResponseWriter, text string) {
	u.setCookie(w, &http.Cookie{Name: "fl_flash", Value: url.QueryEscape(text), MaxAge: 30})
}

// reply answers a post: a toast and what else changed for htmx, a redirect
// with a message without JavaScript.
func (u *UI) reply(w http.ResponseWriter, r *http.Request, back string, t views.Toast, extra ...templ.Component) error {
	if !hx(r) {
		u.flash(w, t.Text)
		return u.redirect(w, r, back)
	}
	return u.send(w, r, templ.Join(append([]templ.Component{toast(t)}, extra...)...))
}

func toast(t views.Toast) templ.Component { return partial("#toasts", "beforeend", views.ToastC(t)) }

func partial(target, swap string, c templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return views.Partial(target, swap).Render(templ.WithChildren(ctx, c), w)
	})
}

func pathID(r *http.Request, noun string) (core.UUID, error) {
	id, err := core.ParseUUID(r.PathValue("id"))
	if err != nil {
		return id, core.NotFound(noun)
	}
	return id, nil
}

func byType(types ...core.StateType) *core.FlowRunFilter {
	return &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: types}}}
}

// theme keeps the reader's choice and goes back to where it was made.
func (u *UI) theme(w http.ResponseWriter, r *http.Request) error {
	u.setCookie(w, &http.Cookie{Name: "fl_theme", Value: cmp.Or(r.PostForm.Get("theme"), "system"), MaxAge: 31536000})
	return u.redirect(w, r, local(r.PostForm.Get("back")))
}

// local is a path of this site, or the start page.
func local(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.HasPrefix(p, "/\\") {
		return "/"
	}
	return p
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
