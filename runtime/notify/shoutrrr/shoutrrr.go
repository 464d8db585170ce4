// Package shoutrrr sends notifications to the services that the library of that name
// knows. It is a package of its own because each of them makes a program larger.
package shoutrrr

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// Sender is a notify.Sender to the services of shoutrrr.
type Sender struct{}

// New returns a Sender.
func New() Sender { return Sender{} }

const deliverFor = 30 * time.Second

// Send lets the library send. That takes no context, so that a service that
// hangs is left behind.
func (Sender) Send(ctx context.Context, target, subject, body string) error {
	r, err := router.New(log.New(io.Discard, "", 0), target)
	if err != nil {
		return fmt.Errorf("the notification's URL is not understood: %w", err)
	}
	r.Timeout = deliverFor
	params := types.Params{}
	if subject != "" {
		params.SetTitle(subject)
	}
	select {
	case err := <-r.SendAsync(body, &params):
		return err
	case <-ctx.Done():
		return fmt.Errorf("the service did not answer in time: %w", ctx.Err())
	}
}
