package notify

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// service is the library's URL for a block, or http(s) for what is posted as
// plain JSON.
func (b *Block) service() (*url.URL, error) {
	q := url.Values{}
	switch b.Slug {
	case "pager-duty-webhook":
		set(q, "severity", map[string]string{"failure": "error", "success": "info"}[b.text("notify_type")], b.text("notify_type"))
		set(q, "source", b.text("source"), "flowlite")
		host := "events.pagerduty.com"
		if b.text("region_name") == "eu" {
			host = "events.eu.pagerduty.com"
		}
		return &url.URL{Scheme: "pagerduty", Host: host, Path: "/" + b.text("integration_key"), RawQuery: q.Encode()}, nil
	case "opsgenie-webhook":
		host := "api.opsgenie.com"
		if b.text("region_name") == "eu" {
			host = "api.eu.opsgenie.com"
		}
		var to []string
		for key, kind := range map[string]string{"target_team": "team", "target_user": "user", "target_schedule": "schedule", "target_escalation": "escalation"} {
			for _, name := range b.texts(key) {
				to = append(to, kind+":"+name)
			}
		}
		set(q, "responders", strings.Join(to, ","))
		set(q, "tags", strings.Join(b.texts("tags"), ","))
		set(q, "alias", b.text("alias"))
		set(q, "entity", b.text("entity"))
		if p := b.text("priority"); p != "" && p != "0" {
			q.Set("priority", "P"+p)
		}
		return &url.URL{Scheme: "opsgenie", Host: host, Path: "/" + b.text("apikey"), RawQuery: q.Encode()}, nil
	case "mattermost-webhook":
		host, port := b.text("hostname"), b.text("port")
		if port != "" && port != "0" {
			host = net.JoinHostPort(host, port)
		}
		if !b.flag("secure") {
			q.Set("disabletls", "yes")
		}
		path := "/" + b.text("token")
		if c := b.texts("channels"); len(c) > 0 {
			path += "/" + strings.TrimPrefix(c[0], "#")
		}
		u := &url.URL{Scheme: "mattermost", Host: host, Path: path, RawQuery: q.Encode()}
		if name := b.text("botname"); name != "" {
			u.User = url.User(name)
		}
		return u, nil
	case "discord-webhook":
		set(q, "username", b.text("botname"))
		set(q, "avatar", b.text("avatar_url"))
		return &url.URL{Scheme: "discord", User: url.User(b.text("webhook_token")), Host: b.text("webhook_id"), RawQuery: q.Encode()}, nil
	case "sendgrid-email":
		set(q, "from", b.text("sender_email"))
		set(q, "to", strings.Join(b.texts("to_emails"), ","))
		return &url.URL{
			Scheme:   "smtp",
			User:     url.UserPassword("apikey", b.text("api_key")),
			Host:     "smtp.sendgrid.net:587",
			Path:     "/",
			RawQuery: q.Encode(),
		}, nil
	}
	if text := b.text("url"); text != "" {
		return fromApprise(text)
	}
	return nil, fmt.Errorf(
		"blocks of type %q have no URL to notify; use a notification block such as slack-webhook, or one with an Apprise-style url",
		b.Slug,
	)
}

// set takes the first value that is not empty.
func set(q url.Values, key string, values ...string) {
	for _, v := range values {
		if v != "" {
			q.Set(key, v)
			return
		}
	}
}

const slackHook = "hooks.slack.com"

// fromApprise makes the library's URL of one as Apprise writes it. Schemes that
// both write alike pass through.
func fromApprise(text string) (*url.URL, error) {
	if rest, ok := strings.CutPrefix(text, "tgram://"); ok {
		// tgram://TOKEN/CHAT…; the token has a colon, which would be a port.
		token, chats, _ := strings.Cut(rest, "/")
		chats, _, _ = strings.Cut(chats, "?")
		q := url.Values{"chats": {strings.ReplaceAll(strings.Trim(chats, "/"), "/", ",")}}
		return &url.URL{Scheme: "telegram", User: tokenUser(token), Host: "telegram", RawQuery: q.Encode()}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("the notification's URL is not one: it begins with a scheme such as https:// or mailto://")
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	q := u.Query()
	switch u.Scheme {
	case "http", "https":
		if u.Host == slackHook && len(parts) == 4 && parts[0] == "services" {
			return slackWebhook(parts[1:], ""), nil
		}
		if strings.HasSuffix(u.Host, "discord.com") && len(parts) == 4 && parts[1] == "webhooks" {
			return &url.URL{Scheme: "discord", User: url.User(parts[3]), Host: parts[2]}, nil
		}
		return u, nil
	case "json":
		return withScheme(u, "http"), nil
	case "jsons":
		return withScheme(u, "https"), nil
	case "slack":
		// slack://[bot@]T/B/X[/#channel]; the host is kept as it was written.
		token := append([]string{hostAsWritten(text)}, parts...)
		if len(token) >= 3 && strings.HasPrefix(token[0], "T") {
			return slackWebhook(token[:3], u.User.Username()), nil
		}
		return u, nil
	case "mailto", "mailtos":
		return mail(u, q), nil
	case "mmost", "mmosts":
		if u.Scheme == "mmost" {
			q.Set("disabletls", "yes")
		}
		return &url.URL{Scheme: "mattermost", User: u.User, Host: u.Host, Path: u.Path, RawQuery: q.Encode()}, nil
	case "gotifys":
		return withScheme(u, "gotify"), nil
	case "gotify":
		q.Set("disabletls", "yes")
		u.RawQuery = q.Encode()
		return u, nil
	case "ntfys":
		return withScheme(u, "ntfy"), nil
	case "pbul":
		return withScheme(u, "pushbullet"), nil
	case "pover":
		// pover://USER@TOKEN
		return &url.URL{Scheme: "pushover", User: url.UserPassword("shoutrrr", hostAsWritten(text)), Host: u.User.Username()}, nil
	case "rocket", "rockets":
		return withScheme(u, "rocketchat"), nil
	case "discord":
		// discord://ID/TOKEN, which the library writes discord://TOKEN@ID.
		if u.User == nil && len(parts) == 1 {
			return &url.URL{Scheme: "discord", User: url.User(parts[0]), Host: u.Host, RawQuery: u.RawQuery}, nil
		}
	}
	return u, nil
}

func withScheme(u *url.URL, scheme string) *url.URL {
	v := *u
	v.Scheme = scheme
	return &v
}

// hostAsWritten: tokens stand where a host would, and their case matters.
func hostAsWritten(text string) string {
	_, rest, _ := strings.Cut(text, "://")
	rest, _, _ = strings.Cut(rest, "/")
	rest, _, _ = strings.Cut(rest, "?")
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		rest = rest[i+1:]
	}
	return rest
}

func tokenUser(token string) *url.Userinfo {
	name, secret, ok := strings.Cut(token, ":")
	if !ok {
		return url.User(token)
	}
	return url.UserPassword(name, secret)
}

func slackWebhook(token []string, bot string) *url.URL {
	u := &url.URL{Scheme: "slack", User: url.UserPassword("hook", strings.Join(token, "-")), Host: "webhook"}
	if bot != "" {
		u.RawQuery = url.Values{"botname": {bot}}.Encode()
	}
	return u
}

// mail is mailto://user:password@host[:port]?to=&from=&smtp=&name=&mode=.
func mail(u *url.URL, in url.Values) *url.URL {
	host, port, user := u.Hostname(), u.Port(), u.User.Username()
	server := host
	if s := in.Get("smtp"); s != "" {
		server = s
	} else if known := map[string]string{"gmail.com": "smtp.gmail.com", "outlook.com": "smtp-mail.outlook.com", "hotmail.com": "smtp-mail.outlook.com", "yahoo.com": "smtp.mail.yahoo.com"}[host]; known != "" {
		server = known
	}
	secure := u.Scheme == "mailtos" || server != host
	if port == "" {
		port = "25"
		if secure {
			port = "587"
		}
	}
	own := user
	if user != "" && !strings.Contains(user, "@") {
		own = user + "@" + host
	}
	login := in.Get("user")
	if login == "" {
		login = user
		if server != host { // the big providers know users by their address
			login = own
		}
	}
	q := url.Values{}
	from := in.Get("from")
	name := in.Get("name")
	if from != "" && !strings.Contains(from, "@") {
		name, from = from, ""
	}
	set(q, "from", from, own)
	set(q, "fromname", name)
	set(q, "to", strings.Join(in["to"], ","), strings.TrimPrefix(u.Path, "/"), own)
	if in.Get("format") == "html" {
		q.Set("usehtml", "yes")
	}
	switch {
	case in.Get("mode") == "ssl":
		q.Set("encryption", "ImplicitTLS")
	case in.Get("mode") == "starttls" || secure:
		q.Set("encryption", "ExplicitTLS")
	}
	out := &url.URL{Scheme: "smtp", Host: net.JoinHostPort(server, port), Path: "/", RawQuery: q.Encode()}
	if pw, has := u.User.Password(); has {
		out.User = url.UserPassword(login, pw)
	} else {
		q.Set("auth", "None")
		out.RawQuery = q.Encode()
	}
	return out
}
