package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// webhooks are the URLs that flows give away. Their token is the credential, so that
// they are open; it must not be logged (see shownPath).
func (a *API) webhooks() group {
	return group{webhookPath, []op{
		plain("GET", "/{token}", http.StatusOK, a.showWebhook, open),
		plain("POST", "/{token}", http.StatusOK, a.useWebhook, open),
	}}
}

const (
	webhookPath = "/webhooks"
	// webhookForm is the field by which the page's own form is known.
	webhookForm = "flowlite.webhook"
	// maxWebhookBody leaves room for the encoding of a form.
	maxWebhookBody = 3*core.MaxMessageValue + 1<<10
)

// shownPath is the path of a request as it may be logged.
func shownPath(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/api"+webhookPath+"/") {
		return "/api" + webhookPath + "/..."
	}
	return r.URL.Path
}

// showWebhook changes nothing: programs that look at links, to show a preview or for
// malware, send a GET.
func (a *API) showWebhook(w http.ResponseWriter, r *http.Request) {
	if err := a.Webhooks.Check(r); err != nil {
		a.answerWebhook(w, r, views.Webhook{}, err)
		return
	}
	hook, run, err := a.Runs.WebhookOf(r.Context(), r.PathValue("token"))
	if err != nil {
		a.answerWebhook(w, r, views.Webhook{}, err)
		return
	}
	v := views.Webhook{Title: "Send a message to " + run.Name, Topic: hook.Topic, Text: hook.Description, Until: hook.Expires,
		Open: true, Typed: hook.Value == nil, Field: webhookForm}
	a.answerWebhook(w, r, v, nil)
}

func (a *API) useWebhook(w http.ResponseWriter, r *http.Request) {
	err := a.Webhooks.Check(r)
	var hook *core.Webhook
	if err == nil {
		var value core.JSON
		if value, err = webhookValue(w, r); err == nil {
			hook, err = a.Runs.UseWebhook(r.Context(), r.PathValue("token"), value)
		}
	}
	if err != nil {
		a.answerWebhook(w, r, views.Webhook{}, err)
		return
	}
	done := views.Webhook{Title: "Delivered", Topic: hook.Topic, Text: "The message was delivered. You can close this page."}
	a.answerWebhook(w, r, done, nil)
}

// webhookValue reads a message: JSON, the fields of a form, or a text.
func webhookValue(w http.ResponseWriter, r *http.Request) (core.JSON, error) {
	buf := buffers.Get().(*buffer)
	defer buf.free()
	if err := buf.readBody(w, r, maxWebhookBody); err != nil {
		return nil, err
	}
	body := buf.b.Bytes()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "application/x-www-form-urlencoded":
		q, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, core.Errorf(core.EInvalid, "the form cannot be read: %s", err)
		}
		return formMessage(q), nil
	case len(strings.TrimSpace(string(body))) == 0:
		return core.JSON("null"), nil
	case json.Valid(body):
		return append(core.JSON(nil), body...), nil
	case strings.HasPrefix(kind, "text/") && utf8.Valid(body):
		return core.ToJSON(string(body)), nil
	}
	return nil, core.Errorf(core.EInvalid, "the body is not JSON; send JSON, a form (application/x-www-form-urlencoded), or a text (text/plain)")
}

// formMessage is an object of the fields of a form. What was typed into the page of
// the URL is JSON if it can be read as JSON, and otherwise a text.
func formMessage(q url.Values) core.JSON {
	if q.Has(webhookForm) {
		typed := strings.TrimSpace(q.Get("message"))
		switch {
		case typed == "":
			return core.JSON("null")
		case json.Valid([]byte(typed)):
			return core.JSON(typed)
		}
		return core.ToJSON(typed)
	}
	fields := map[string]any{}
	for k, v := range q {
		if fields[k] = v; len(v) == 1 {
			fields[k] = v[0]
		}
	}
	return core.ToJSON(fields)
}

// answerWebhook answers people with a page, and programs with JSON. Wrong tokens count
// against the address.
func (a *API) answerWebhook(w http.ResponseWriter, r *http.Request, v views.Webhook, err error) {
	status := http.StatusOK
	h := w.Header()
	if err != nil {
		var e *core.Error
		switch {
		case errors.Is(err, errTooLarge):
			e = &core.Error{Code: core.EInvalid, Message: "the message is larger than 64 KiB; send less"}
			status = http.StatusRequestEntityTooLarge
		case !errors.As(err, &e) || statuses[e.Code] == 0 || e.Code == core.EInternal || e.Code == core.EUnavailable:
			a.fail(w, r, &op{}, nil, err)
			return
		default:
			status = statuses[e.Code]
		}
		if e.RetryAfter > 0 {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter))))
		}
		if e.Code == core.ENotFound {
			a.Webhooks.Wrong(r)
		}
		v = views.Webhook{Title: "Nothing was sent", Text: cmp.Or(e.Message, e.Error())}
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // the URL is a credential; the form's POST still has an Origin
	h.Set("X-Robots-Tag", "noindex")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		switch {
		case err != nil:
			writeDetail(w, status, v.Text)
		case v.Open:
			writeJSON(w, status, map[string]any{"topic": v.Topic, "description": v.Text, "expires": v.Until, "takes_message": v.Typed,
				"detail": "send a POST to this URL to deliver the message"})
		default:
			writeJSON(w, status, map[string]any{"topic": v.Topic, "detail": "delivered"})
		}
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = views.WebhookPage(v).Render(r.Context(), w)
}
