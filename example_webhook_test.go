package flowlite_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/flowlite/flowlite"
)

// The flow of docs/how-to/approvals-by-webhook.md.
type Verdict struct {
	Approved bool   `json:"approved"`
	By       string `json:"by"`
}

func refund(mail func(url string)) *flowlite.Flow[struct{}, string] {
	tell := flowlite.NewTask("mail the URL", func(ctx context.Context, order string) (bool, error) {
		url, err := flowlite.WebhookURL(ctx, flowlite.Webhook{
			Topic:       "verdict",
			Description: "Approve the refund of order " + order + "?",
			Expires:     24 * time.Hour,
		})
		if err == nil {
			mail(url)
		}
		return true, err
	})
	return flowlite.NewFlow("refund", func(ctx context.Context, _ struct{}) (string, error) {
		if _, err := tell.Run(ctx, "88213"); err != nil {
			return "", err
		}
		v, err := flowlite.Receive[Verdict](ctx, "verdict", 24*time.Hour)
		if err != nil || !v.Approved {
			return "refused", err
		}
		return "approved by " + v.By, nil
	})
}

func ExampleWebhookURL() {
	urls := make(chan string, 1)
	refund := refund(func(url string) { urls <- url })
	app, stop := app(refund)
	defer stop()
	ctx := context.Background()
	run, err := refund.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := http.Post(<-urls, "application/json", strings.NewReader(`{"approved": true, "by": "Ann"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status)
	fmt.Println(run.Get(ctx))
	// Output:
	// 200 OK
	// approved by Ann <nil>
}

func ExampleRun_WebhookURL() {
	pay := payment()
	app, stop := app(pay)
	defer stop()
	ctx := context.Background()
	run, err := pay.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	url, err := run.WebhookURL(ctx, flowlite.Webhook{Topic: "bank", Value: "paid"})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := http.Post(url, "", nil) // the message is given
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(run.Get(ctx))
	// Output: the bank says paid <nil>
}

func ExampleWebhook() {
	w := flowlite.Webhook{Topic: "verdict", Value: "yes", Description: "Approve the refund?", Expires: time.Hour}
	fmt.Println(w.Topic, w.Value)
	// Output: verdict yes
}
