package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/flowlite/flowlite/runtime/core"
)

// Block is a notification or webhook block as it is used: its type's slug and
// its data with secrets in the clear.
type Block struct {
	Slug    string
	Data    map[string]any
	Private Private // which private addresses it may reach
	Sender  Sender
}

func (b *Block) text(key string) string {
	switch v := b.Data[key].(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func (b *Block) texts(key string) (list []string) {
	all, _ := b.Data[key].([]any)
	for _, v := range all {
		list = append(list, fmt.Sprint(v))
	}
	return list
}

// flag is true where the block does not say.
func (b *Block) flag(key string) bool {
	v, ok := b.Data[key].(bool)
	return v || !ok
}

// Notify delivers subject and body. Its error says what went wrong without
// any secret of the block.
func Notify(ctx context.Context, b *Block, subject, body string) error {
	return b.hide(notify(ctx, b, oneLine(subject), body))
}

// oneLine makes spaces of all line breaks and other controls: a subject stands in a
// header of a mail, where what follows a line break would be a header of its own.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }), " ")
}

func notify(ctx context.Context, b *Block, subject, body string) error {
	switch b.Slug {
	case "custom-webhook":
		return customWebhook(ctx, b, subject, body)
	case "ms-teams-webhook":
		return teams(ctx, b, subject, body)
	case "twilio-sms":
		return twilio(ctx, b, subject, body)
	}
	target, err := b.service()
	if err != nil {
		return err
	}
	if target.Scheme == "http" || target.Scheme == "https" {
		return postJSON(ctx, b, target.String(), map[string]any{"text": joined(subject, body), "subject": subject, "body": body})
	}
	if err := b.Private.resolved(ctx, target.Hostname(), b.flag("allow_private_urls")); err != nil {
		return err
	}
	return b.Sender.Send(ctx, target.String(), subject, body)
}

func joined(subject, body string) string {
	if subject == "" {
		return body
	}
	return subject + "\n\n" + body
}

// Sender sends to the services that have no webhook of their own here, such as Slack,
// PagerDuty, and mail: target says which and with what credentials.
type Sender interface {
	Send(ctx context.Context, target, subject, body string) error
}

// NoSender is the Sender of a program that has none.
type NoSender struct{}

func (NoSender) Send(context.Context, string, string, string) error {
	return errors.New("this program sends to webhooks alone: " +
		"its embed.Config has no Notifications, such as shoutrrr.New() of package runtime/notify/shoutrrr")
}

// hide takes the block's secrets out of an error: services' errors quote URLs.
func (b *Block) hide(err error) error {
	if err == nil {
		return nil
	}
	text := core.URLFault(b.text("url"), err)
	for _, secret := range b.secrets() {
		text = strings.ReplaceAll(text, secret, "********")
		text = strings.ReplaceAll(text, url.QueryEscape(secret), "********")
		text = strings.ReplaceAll(text, url.PathEscape(secret), "********")
	}
	return errors.New(text)
}

// secrets are the texts of the block that must not be shown, longest first in
// the way they contain each other.
func (b *Block) secrets() (list []string) {
	for _, key := range []string{"url", "integration_key", "api_key", "apikey", "auth_token", "token", "webhook_token"} {
		s := b.text(key)
		if s == "" {
			continue
		}
		list = append(list, s)
		if u, err := url.Parse(s); err == nil && u.Scheme != "" {
			if pw, has := u.User.Password(); has && pw != "" {
				list = append(list, pw)
			}
			if path := strings.Trim(u.Path, "/"); len(path) > 8 {
				list = append(list, path)
				list = append(list, strings.Split(path, "/")...)
			}
		}
	}
	if m, ok := b.Data["secrets"].(map[string]any); ok {
		for _, v := range m {
			list = append(list, fmt.Sprint(v))
		}
	}
	long := list[:0]
	for _, s := range list {
		if len(s) > 3 {
			long = append(long, s)
		}
	}
	return long
}
