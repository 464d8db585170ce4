package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Answer is what a webhook said.
type Answer struct {
	Status int
	Body   string
}

const (
	dialFor    = 10 * time.Second
	answerFor  = 30 * time.Second
	answerMost = 64 << 10
)

// CallWebhook sends the payload as a webhook block says.
func CallWebhook(ctx context.Context, b *Block, payload string) (*Answer, error) {
	headers := http.Header{}
	for key, v := range mapOf(b.Data["headers"]) {
		headers.Set(key, fmt.Sprint(v))
	}
	if payload != "" && headers.Get("Content-Type") == "" && json.Valid([]byte(payload)) {
		headers.Set("Content-Type", "application/json")
	}
	method := b.text("method")
	if method == "" {
		method = http.MethodPost
	}
	a, err := send(ctx, b, method, b.text("url"), headers, strings.NewReader(payload), b.flag("verify"))
	return a, b.hide(err)
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func send(ctx context.Context, b *Block, method, target string, headers http.Header, body io.Reader, verify bool) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("the request cannot be made: %w", err)
	}
	r.Header = headers
	transport := b.Private.transport(b.flag("allow_private_urls"))
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: !verify} // the block's own wish
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerMost))
	if err != nil {
		return nil, err
	}
	return &Answer{resp.StatusCode, strings.ToValidUTF8(string(text), "\uFFFD")}, nil
}

// accepted turns an answer that is no success into an error.
func accepted(a *Answer, err error) error {
	if err != nil {
		return err
	}
	if a.Status >= 300 {
		return fmt.Errorf("the service answered %d: %.300s", a.Status, a.Body)
	}
	return nil
}

func postJSON(ctx context.Context, b *Block, target string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return accepted(send(ctx, b, http.MethodPost, target, http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(body), true))
}

// teams posts an adaptive card, as Teams workflows take it.
func teams(ctx context.Context, b *Block, subject, body string) error {
	var lines []any
	if subject != "" {
		lines = append(lines, map[string]any{"type": "TextBlock", "text": subject, "weight": "bolder", "size": "medium", "wrap": true})
	}
	lines = append(lines, map[string]any{"type": "TextBlock", "text": body, "wrap": b.flag("wrap")})
	card := map[string]any{
		"type":    "AdaptiveCard",
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
		"version": "1.4",
		"body":    lines,
	}
	return postJSON(ctx, b, b.text("url"), map[string]any{"type": "message", "attachments": []any{
		map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}}})
}

var twilioAPI = "https://api.twilio.com"

func twilio(ctx context.Context, b *Block, subject, body string) error {
	sid := b.text("account_sid")
	for _, to := range b.texts("to_phone_numbers") {
		form := url.Values{"From": {b.text("from_phone_number")}, "To": {to}, "Body": {joined(subject, body)}}
		r, err := http.NewRequest(http.MethodPost, twilioAPI, nil)
		if err != nil {
			return err
		}
		r.SetBasicAuth(sid, b.text("auth_token"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		target := twilioAPI + "/2010-04-01/Accounts/" + url.PathEscape(sid) + "/Messages.json"
		if err := accepted(send(ctx, b, http.MethodPost, target, r.Header, strings.NewReader(form.Encode()), true)); err != nil {
			return err
		}
	}
	return nil
}

// customWebhook fills {{subject}}, {{body}}, {{name}} and the block's secrets
// into what the block describes.
func customWebhook(ctx context.Context, b *Block, subject, body string) error {
	pairs := []string{"{{subject}}", subject, "{{body}}", body, "{{name}}", b.text("name")}
	for key, v := range mapOf(b.Data["secrets"]) {
		pairs = append(pairs, "{{"+key+"}}", fmt.Sprint(v))
	}
	fill := strings.NewReplacer(pairs...)
	target, err := url.Parse(fill.Replace(b.text("url")))
	if err != nil {
		return fmt.Errorf("the block's url is not one: %w", err)
	}
	q := target.Query()
	for key, v := range mapOf(b.Data["params"]) {
		q.Set(key, fill.Replace(fmt.Sprint(v)))
	}
	target.RawQuery = q.Encode()
	headers := http.Header{}
	var payload []byte
	if form := mapOf(b.Data["form_data"]); form != nil {
		values := url.Values{}
		for key, v := range form {
			values.Set(key, fill.Replace(fmt.Sprint(v)))
		}
		payload = []byte(values.Encode())
		headers.Set("Content-Type", "application/x-www-form-urlencoded")
	} else if data := mapOf(b.Data["json_data"]); data != nil {
		if payload, err = json.Marshal(filled(data, fill)); err != nil {
			return err
		}
		headers.Set("Content-Type", "application/json")
	}
	for key, v := range mapOf(b.Data["headers"]) {
		headers.Set(key, fill.Replace(fmt.Sprint(v)))
	}
	for key, v := range mapOf(b.Data["cookies"]) {
		headers.Add("Cookie", (&http.Cookie{Name: key, Value: fill.Replace(fmt.Sprint(v))}).String())
	}
	method := b.text("method")
	if method == "" {
		method = http.MethodPost
	}
	if seconds, err := strconv.ParseFloat(fmt.Sprint(b.Data["timeout"]), 64); err == nil && seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
		defer cancel()
	}
	return accepted(send(ctx, b, method, target.String(), headers, bytes.NewReader(payload), true))
}

func filled(v any, fill *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return fill.Replace(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = filled(x, fill)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[fill.Replace(k)] = filled(x, fill)
		}
		return out
	}
	return v
}
