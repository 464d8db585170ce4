package flowlite_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/client"
)

// The processes of a run get the same URLs, in the flow and in a task that is retried.
func TestReplayMakesTheSameWebhooks(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		process, seen := 0, [][]string{}
		code := func(ctx context.Context) (string, error) {
			process++
			var urls []string
			add := func(ctx context.Context, w flowlite.Webhook) error {
				url, err := flowlite.WebhookURL(ctx, w)
				urls = append(urls, url)
				return err
			}
			yes := flowlite.Webhook{Topic: "verdict", Value: "yes", Expires: time.Hour}
			no := yes
			no.Value = "no"
			task := flowlite.NewTask("mail", func(ctx context.Context, _ int) (string, error) {
				if err := add(ctx, yes); err != nil || process > 2 {
					return "", err
				}
				seen = append(seen, urls)
				return v.kill(ctx)
			})
			if err := errors.Join(add(ctx, yes), add(ctx, yes), add(ctx, no)); err != nil {
				return "", err
			}
			_, err := task.Run(ctx, 1)
			seen = append(seen, urls)
			return "", err
		}
		v.killed(code)
		v.killed(code)
		if _, err := v.finished(code); err != nil {
			t.Fatal(err)
		}
		first, last := seen[0], seen[len(seen)-1]
		if !slices.Equal(first, last) || !slices.Equal(first, seen[1]) {
			t.Errorf("another process has other URLs: %v", seen)
		}
		if slices.Sort(last); len(slices.Compact(last)) != 4 {
			t.Error("calls share a URL:", last)
		}
		if n, err := v.store.CountWebhooks(t.Context(), v.id); err != nil || n != 4 {
			t.Error(n, "webhooks", err)
		}
	})
}

// A flow gives a URL away, and a POST to it, without credentials, continues the flow.
func TestWebhooks(t *testing.T) {
	urls := make(chan string, 1)
	f := flowlite.NewFlow("approval", func(ctx context.Context, _ struct{}) (verdict, error) {
		tell := flowlite.NewTask("tell", func(ctx context.Context, _ int) (bool, error) {
			url, err := flowlite.WebhookURL(ctx, flowlite.Webhook{Topic: "verdict", Description: "Approve?"})
			urls <- url
			return true, err
		})
		if _, err := tell.Run(ctx, 1); err != nil {
			return verdict{}, err
		}
		return flowlite.Receive[verdict](ctx, "verdict", time.Minute)
	})
	places(t, func(t *testing.T, on flowlite.Runner, _ *client.Client) {
		ctx := t.Context()
		r, err := f.Start(ctx, on, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(method, url, body string) (int, string) {
			t.Helper()
			req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, string(b)
		}
		url := <-urls
		if status, text := ask("GET", url, ""); status != 200 || !strings.Contains(text, "Approve?") {
			t.Fatal(status, text)
		}
		other, err := r.WebhookURL(ctx, flowlite.Webhook{Topic: "other"})
		if err != nil || other == url {
			t.Fatal(other, err)
		}
		if status, text := ask("POST", url, `{"by":"ann","ok":true}`); status != 200 {
			t.Fatal(status, text)
		}
		if got, err := r.Get(ctx); err != nil || got != (verdict{"ann", true}) {
			t.Error(got, err)
		}
		for _, url := range []string{url, other} {
			if status, text := ask("POST", url, `1`); status != 410 {
				t.Error(status, text)
			}
		}
		if _, err := r.WebhookURL(ctx, flowlite.Webhook{Topic: "other"}); !errors.Is(err, flowlite.ErrConflict) {
			t.Error(err)
		}
		if _, err := r.WebhookURL(ctx, flowlite.Webhook{Topic: "no topic"}); !errors.Is(err, flowlite.ErrInvalid) {
			t.Error(err)
		}
		if _, err := flowlite.WebhookURL(ctx, flowlite.Webhook{Topic: "t"}); !errors.Is(err, flowlite.ErrInvalid) {
			t.Error(err)
		}
	}, f)
}
