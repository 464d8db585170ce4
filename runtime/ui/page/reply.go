package page

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// Again sends a form back with what is wrong in it: alone to htmx, else as the
// page that it stands on.
func (k *Kit) Again(w http.ResponseWriter, r *http.Request, alone, page templ.Component) error {
	if HX(r) {
		page = alone
	}
	return k.SendCode(w, r, http.StatusUnprocessableEntity, page)
}

// HX tells whether htmx asks, which wants a fragment.
func HX(r *http.Request) bool { return r.Header.Get("Hx-Request") != "" }

// Redirect goes to a path of ours; htmx is told so in its own way.
func (k *Kit) Redirect(w http.ResponseWriter, r *http.Request, path string) error {
	to := k.BasePath + path
	if HX(r) {
		w.Header().Set("Hx-Redirect", to)
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

// Flash keeps a message for the next page.
func (k *Kit) Flash(w http.ResponseWriter, text string) {
	k.setCookie(w, &http.Cookie{Name: "fl_flash", Value: url.QueryEscape(text), MaxAge: 30})
}

// Reply answers a post: a toast and what else changed for htmx, a redirect
// with a message without JavaScript.
func (k *Kit) Reply(w http.ResponseWriter, r *http.Request, back string, t views.Toast, extra ...templ.Component) error {
	if !HX(r) {
		k.Flash(w, t.Text)
		return k.Redirect(w, r, back)
	}
	return k.Send(w, r, templ.Join(append([]templ.Component{Toast(t)}, extra...)...))
}

// Toast is a message in the corner of the page.
func Toast(t views.Toast) templ.Component { return Partial("#toasts", "beforeend", views.ToastC(t)) }

// Partial swaps a component into another target than that of the request.
func Partial(target, swap string, c templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return views.Partial(target, swap).Render(templ.WithChildren(ctx, c), w)
	})
}

// theme keeps the reader's choice and goes back to where it was made.
func (k *Kit) theme(w http.ResponseWriter, r *http.Request) error {
	k.setCookie(w, &http.Cookie{Name: "fl_theme", Value: cmp.Or(r.PostForm.Get("theme"), "system"), MaxAge: 31536000})
	return k.Redirect(w, r, local(r.PostForm.Get("back")))
}

// local is a path of this site, or the start page.
func local(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.HasPrefix(p, "/\\") {
		return "/"
	}
	return p
}

// Toggle answers a switch: it comes back as it is now, with a toast.
func (k *Kit) Toggle(w http.ResponseWriter, r *http.Request, label, back string, set func(on bool) error) error {
	on := r.PostForm.Get("on") == "true"
	if err := set(on); err != nil {
		return err
	}
	t := views.Toast{State: "completed", Text: label + ": on"}
	if !on {
		t = views.Toast{State: "paused", Text: label + ": paused"}
	}
	if !HX(r) {
		return k.Reply(w, r, back, t)
	}
	return k.Send(w, r, templ.Join(views.Toggle(r.URL.EscapedPath(), label, on), Toast(t)))
}

// Forward redirects to prefix and the path value that key names. It serves the
// addresses that Prefect's client and command line print.
func (k *Kit) Forward(prefix, key string) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		to := prefix
		if key != "" {
			to += "/" + core.PathSegment(r.PathValue(key))
		}
		return k.Redirect(w, r, to)
	}
}
