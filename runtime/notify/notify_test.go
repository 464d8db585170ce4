package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"

	"github.com/flowlite/flowlite/runtime/notify/shoutrrr"
)

// TestServices: what becomes of blocks, and that the library understands it.
func TestServices(t *testing.T) {
	const hook = "https://hooks.slack.com/services/T1A2B3C4D/B1A2B3C4D/abcdefghijklmnopqrstuvwx"
	for _, c := range []struct {
		slug, data, want string
	}{
		{"slack-webhook", `{"url":"` + hook + `"}`, "slack://hook:T1A2B3C4D-B1A2B3C4D-abcdefghijklmnopqrstuvwx@webhook"},
		{"apprise", `{"url":"slack://T1A2B3C4D/B1A2B3C4D/abcdefghijklmnopqrstuvwx/"}`, "slack://hook:T1A2B3C4D-B1A2B3C4D-abcdefghijklmnopqrstuvwx@webhook"},
		{"slack-webhook", `{"url":"https://chat.example.com/hooks/x"}`, "https://chat.example.com/hooks/x"},
		{"discord-webhook", `{"webhook_id":"123","webhook_token":"tok","botname":"b"}`, "discord://tok@123?username=b"},
		{"apprise", `{"url":"discord://123/tok"}`, "discord://tok@123"},
		{"apprise", `{"url":"https://discord.com/api/webhooks/123/tok"}`, "discord://tok@123"},
		{"mattermost-webhook", `{"hostname":"mm.example.com","token":"tok","botname":"bot","channels":["#ops"],"port":8065,"secure":false}`, "mattermost://bot@mm.example.com:8065/tok/ops?disabletls=yes"},
		{"pager-duty-webhook", `{"integration_key":"0123456789abcdef0123456789abcdef","region_name":"eu","notify_type":"failure"}`, "pagerduty://events.eu.pagerduty.com/0123456789abcdef0123456789abcdef?severity=error&source=flowlite"},
		{"opsgenie-webhook", `{"apikey":"k","region_name":"us","target_team":["ops"],"tags":["a","b"],"priority":2}`, "opsgenie://api.opsgenie.com/k?priority=P2&responders=team%3Aops&tags=a%2Cb"},
		{"sendgrid-email", `{"api_key":"k","sender_email":"a@b.c","to_emails":["d@e.f","g@h.i"]}`, "smtp://apikey:k@smtp.sendgrid.net:587/?from=a%40b.c&to=d%40e.f%2Cg%40h.i"},
		{"email", `{"url":"mailtos://me:pw@example.com?to=you@example.org&name=Flow"}`, "smtp://me:pw@example.com:587/?encryption=ExplicitTLS&from=me%40example.com&fromname=Flow&to=you%40example.org"},
		{"email", `{"url":"mailto://me:pw@gmail.com"}`, "smtp://me%40gmail.com:pw@smtp.gmail.com:587/?encryption=ExplicitTLS&from=me%40gmail.com&to=me%40gmail.com"},
		{"email", `{"url":"mailto://mail.example.com:2525?from=a@b.c&to=d@e.f"}`, "smtp://mail.example.com:2525/?auth=None&from=a%40b.c&to=d%40e.f"},
		{"apprise", `{"url":"tgram://123456789:AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhI/-100123"}`, "telegram://123456789:AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhI@telegram?chats=-100123"},
		{"apprise", `{"url":"ntfys://ntfy.sh/topic"}`, "ntfy://ntfy.sh/topic"},
		{"apprise", `{"url":"jsons://example.com/x"}`, "https://example.com/x"},
	} {
		b := &Block{Slug: c.slug}
		if err := json.Unmarshal([]byte(c.data), &b.Data); err != nil {
			t.Fatal(err)
		}
		u, err := b.service()
		if err != nil || u.String() != c.want {
			t.Errorf("%s %s\n got %v, %v\nwant %s", c.slug, c.data, u, err, c.want)
			continue
		}
		if u.Scheme == "https" {
			continue
		}
		if _, err := router.New(nil, u.String()); err != nil {
			t.Errorf("%s: the library refuses %s: %v", c.slug, u, err)
		}
	}
	for _, data := range []map[string]any{nil, {"url": "no url"}, {"url": 7}} {
		if _, err := (&Block{Slug: "x", Data: data}).service(); err == nil {
			t.Errorf("%v has a service", data)
		}
	}
}

var everywhere = Private{all: true}

// heard is a server that keeps what it is sent.
func heard(t *testing.T) (string, chan *http.Request, chan string) {
	t.Helper()
	requests, bodies := make(chan *http.Request, 4), make(chan string, 4)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		requests <- r
		bodies <- string(b)
		if strings.HasPrefix(r.URL.Path, "/refuse") {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, requests, bodies
}

func TestNotifyOverHTTP(t *testing.T) {
	url, requests, bodies := heard(t)
	old := twilioAPI
	twilioAPI = url
	t.Cleanup(func() { twilioAPI = old })
	for _, c := range []struct {
		block *Block
		path  string
		body  string
	}{
		{&Block{Private: everywhere, Sender: shoutrrr.New(), Slug: "slack-webhook", Data: map[string]any{"url": url + "/hook"}}, "/hook", `"text":"Subject\n\nBody"`},
		{&Block{Private: everywhere, Sender: shoutrrr.New(), Slug: "ms-teams-webhook", Data: map[string]any{"url": url + "/teams"}}, "/teams", `"text":"Body"`},
		{&Block{Private: everywhere, Sender: shoutrrr.New(), Slug: "custom-webhook", Data: map[string]any{"url": url + "/{{name}}", "name": "n", "params": map[string]any{"k": "{{tok}}"},
			"json_data": map[string]any{"a": []any{"{{subject}}: {{body}}"}}, "secrets": map[string]any{"tok": "s1"}}}, "/n?k=s1", `{"a":["Subject: Body"]}`},
		{&Block{Private: everywhere, Sender: shoutrrr.New(), Slug: "custom-webhook", Data: map[string]any{"url": url + "/f", "form_data": map[string]any{"m": "{{body}}"}}}, "/f", `m=Body`},
		{&Block{Private: everywhere, Sender: shoutrrr.New(), Slug: "twilio-sms", Data: map[string]any{"account_sid": "AC1", "auth_token": "t", "from_phone_number": "+1", "to_phone_numbers": []any{"+2"}}},
			"/2010-04-01/Accounts/AC1/Messages.json", "To=%2B2"},
	} {
		if err := Notify(t.Context(), c.block, "Subject", "Body"); err != nil {
			t.Errorf("%s: %v", c.block.Slug, err)
			continue
		}
		r, body := <-requests, <-bodies
		if r.URL.String() != c.path || !strings.Contains(body, c.body) {
			t.Errorf("%s: %s %s", c.block.Slug, r.URL, body)
		}
	}
}

func TestErrorsHideSecrets(t *testing.T) {
	url, _, _ := heard(t)
	for _, b := range []*Block{
		{Private: everywhere, Sender: shoutrrr.New(), Slug: "slack-webhook", Data: map[string]any{"url": url + "/refuse/secret-token"}},
		{Private: everywhere, Sender: shoutrrr.New(), Slug: "slack-webhook", Data: map[string]any{"url": "http://127.0.0.1:1/hooks/secret-token"}},
		{Private: everywhere, Sender: shoutrrr.New(), Slug: "custom-webhook", Data: map[string]any{"url": "http://127.0.0.1:1/{{tok}}", "secrets": map[string]any{"tok": "secret-token"}}},
		{Private: everywhere, Sender: shoutrrr.New(), Slug: "apprise", Data: map[string]any{"url": "mattermost://127.0.0.1:1/secret-token?disabletls=yes"}},
	} {
		err := Notify(t.Context(), b, "s", "b")
		if err == nil || strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%s: %v", b.Slug, err)
		}
	}
}

// TestEveryPrivateAddress: also those that stand for an address of IPv4.
func TestEveryPrivateAddress(t *testing.T) {
	private := []string{"127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "100.64.0.1", "100.127.255.255",
		"192.0.0.1", "198.18.0.1", "198.19.255.255", "240.0.0.1", "255.255.255.255"}
	public := []string{"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "192.0.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255"}
	forms := func(list []string) (all []string) {
		for _, text := range list {
			b := netip.MustParseAddr(text).As4()
			hex := fmt.Sprintf("%02x%02x:%02x%02x", b[0], b[1], b[2], b[3])
			all = append(all, text, "::ffff:"+hex, "64:ff9b::"+hex, "::ffff:0:"+hex, "2002:"+hex+"::1", "::"+hex)
		}
		return all
	}
	check := func(list []string, want bool) {
		t.Helper()
		for _, a := range list {
			if err := (Private{}).check(a, a, true); (err != nil) != want {
				t.Errorf("%s is refused: %v, want %v", a, err, want)
			}
		}
	}
	check(append(forms(private), "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "fe80::1%eth0", "64:ff9b:1::1", "2001::1", "100::1"), true)
	check(append(forms(public), "2606:4700::1111", "2001:4860:4860::8888"), false)
	p, err := ParsePrivate([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range forms([]string{"10.1.2.3"}) {
		if err := p.check(a, a, true); err != nil {
			t.Errorf("%s within an allowed prefix: %v", a, err)
		}
	}
}

// TestIsProxy: only the host and port of a proxy are taken for it.
func TestIsProxy(t *testing.T) {
	for _, test := range []struct{ proxy, address, other string }{
		{"http://10.0.0.9:3128", "10.0.0.9:3128", "10.0.0.9:80"},
		{"http://proxy.example", "proxy.example:80", "proxy.example:443"},
		{"https://proxy.example", "proxy.example:443", "proxy.example:80"},
		{"http://[::1]:8080", "[::1]:8080", "[::1]:22"},
	} {
		proxies := func(*http.Request) (*url.URL, error) { return url.Parse(test.proxy) }
		if !isProxy(proxies, test.address) || isProxy(proxies, test.other) || isProxy(http.ProxyURL(nil), test.address) {
			t.Errorf("of the proxy %s: %s is it: %v, %s is it: %v", test.proxy, test.address, isProxy(proxies, test.address), test.other, isProxy(proxies, test.other))
		}
	}
}

func TestPrivateAddresses(t *testing.T) {
	url, _, _ := heard(t)
	allowed := func(list ...string) Private {
		p, err := ParsePrivate(list)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		private Private
		block   any // allow_private_urls
		fails   bool
	}{
		{Private{}, nil, true}, {Private{}, true, true}, {allowed("10.0.0.0/8", "localhost"), true, true},
		{allowed("*"), nil, false}, {allowed("127.0.0.0/8"), true, false}, {allowed("127.0.0.1"), true, false}, {allowed("*"), false, true},
	} {
		data := map[string]any{"url": url}
		if c.block != nil {
			data["allow_private_urls"] = c.block
		}
		_, err := CallWebhook(t.Context(), &Block{Slug: "webhook", Data: data, Private: c.private}, "")
		if (err != nil) != c.fails || err != nil && !strings.Contains(err.Error(), "private address") {
			t.Errorf("%+v: %v", c, err)
		}
		m := map[string]any{"url": "mattermost://127.0.0.1:1/t?disabletls=yes"}
		if c.block != nil {
			m["allow_private_urls"] = c.block
		}
		if err := Notify(t.Context(), &Block{Slug: "apprise", Data: m, Private: c.private, Sender: shoutrrr.New()}, "s", "b"); strings.Contains(err.Error(), "private address") != c.fails {
			t.Errorf("%+v, a chat: %v", c, err)
		}
	}
	// A public name that leads to a private address, and a redirect to one.
	if err := allowed("127.0.0.1").check("example.com", "169.254.169.254", true); err == nil {
		t.Error("a metadata service is reached")
	}
	for _, bad := range []string{"", "http://x", "a b", "10.0.0.0/99"} {
		if _, err := ParsePrivate([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestCallWebhook(t *testing.T) {
	url, requests, bodies := heard(t)
	b := &Block{Private: everywhere, Sender: shoutrrr.New(), Slug: "webhook", Data: map[string]any{"url": url + "/refuse", "method": "PATCH", "headers": map[string]any{"X": "y"}}}
	a, err := CallWebhook(t.Context(), b, `{"a":1}`)
	if err != nil || a.Status != 400 {
		t.Fatalf("%+v, %v", a, err)
	}
	r, body := <-requests, <-bodies
	if r.Method != "PATCH" || r.Header.Get("X") != "y" || r.Header.Get("Content-Type") != "application/json" || body != `{"a":1}` {
		t.Errorf("%s %v %s", r.Method, r.Header, body)
	}
}

// TestMail sends to a mail server that knows the least that a protocol needs.
func TestMail(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	mail := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		in := bufio.NewReader(c)
		say := func(s string) { _, _ = fmt.Fprint(c, s+"\r\n") }
		say("220 test")
		var all strings.Builder
		data := false
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			all.WriteString(line)
			switch {
			case data && line == ".\r\n":
				data = false
				say("250 kept")
				mail <- all.String()
			case data:
			case strings.HasPrefix(line, "EHLO"):
				say("250 test")
			case strings.HasPrefix(line, "DATA"):
				data = true
				say("354 go on")
			case strings.HasPrefix(line, "QUIT"):
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}()
	b := &Block{Private: everywhere, Sender: shoutrrr.New(), Slug: "email", Data: map[string]any{"url": "mailto://" + l.Addr().String() + "?from=flow@example.com&to=ops@example.com"}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := Notify(ctx, b, "A subject\r\nBcc: eve@example.com\n\nA body of my own", "The body"); err != nil {
		t.Fatal(err)
	}
	got := <-mail
	for _, want := range []string{"MAIL FROM:<flow@example.com>", "RCPT TO:<ops@example.com>", "Subject: A subject Bcc: eve@example.com A body of my own\r\n", "The body"} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail lacks %q:\n%s", want, got)
		}
	}
}
