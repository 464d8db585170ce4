package flows

import (
	"context"
	"fmt"
	"time"

	"github.com/flowlite/flowlite"
)

type Refund struct {
	Customer string  `json:"customer" jsonschema:"default=ACME,description=who gets the money back"`
	Amount   float64 `json:"amount" jsonschema:"default=120,minimum=0"`
}

// Approval is the form that the approver fills in.
type Approval struct {
	Approved bool   `json:"approved" jsonschema:"description=pay it?"`
	Comment  string `json:"comment,omitempty" jsonschema:"default=,description=why or why not"`
}

var pay = flowlite.NewTask("pay", func(ctx context.Context, _ Refund) (string, error) {
	// A payment service would be given this key, so that a retry pays once.
	return "paid " + flowlite.Current(ctx).IdempotencyKey(), nil
})

// Refunds above 100 wait for a person.
var RefundApproval = flowlite.NewFlow("refund-approval", func(ctx context.Context, r Refund) (string, error) {
	if r.Amount > 100 {
		a, err := flowlite.Pause[Approval](ctx, flowlite.Ask{
			Description: fmt.Sprintf("**%s** asks for a refund of **%.2f**.", r.Customer, r.Amount),
			Timeout:     24 * time.Hour,
		})
		if err != nil {
			return "", err
		}
		if !a.Approved {
			return "refused: " + a.Comment, nil
		}
	}
	if _, err := pay.Run(ctx, r); err != nil {
		return "", err
	}
	return "paid", nil
}, flowlite.Description("Pays a refund; above 100 only after somebody approved."))
