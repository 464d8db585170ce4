package automation

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/notify"
)

// block is the document that the action names, with its secrets.
func (s *Automations) actionBlock(ctx context.Context, inv *invocation) (*notify.Block, []string, error) {
	d, err := s.blocks.BlockDocument(ctx, inv.action.BlockDocumentID, true)
	if core.IsNotFound(err) {
		return nil, nil, failed("The block document %s does not exist any more", inv.action.BlockDocumentID)
	}
	if err != nil {
		return nil, nil, err
	}
	b := &notify.Block{Data: d.Data.Map(), Private: s.private, Sender: s.sender}
	if d.BlockType != nil {
		b.Slug = d.BlockType.Slug
	}
	var capabilities []string
	if d.BlockSchema != nil {
		capabilities = d.BlockSchema.Capabilities
	}
	inv.related = append(
		inv.related,
		map[string]string{
			"prefect.resource.id":   "prefect.block-document." + d.ID.String(),
			"prefect.resource.role": "block",
			"prefect.resource.name": d.Name,
		},
		map[string]string{"prefect.resource.id": "prefect.block-type." + b.Slug, "prefect.resource.role": "block-type"},
	)
	return b, capabilities, nil
}

// rendered renders an action's texts. A template that fails is sent as it is,
// with the reason: a notification should rather look odd than be lost.
func (s *Automations) rendered(ctx context.Context, inv *invocation, texts ...string) ([]string, error) {
	data, err := s.templateData(ctx, inv, texts...)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(texts))
	for i, text := range texts {
		if out[i], err = s.templates.Render(text, data, s.pages(data)); err != nil {
			out[i] = "Failed to render template due to the following error: " + err.Error() + "\nTemplate source:\n" + text
		}
	}
	return out, nil
}

func (s *Automations) sendNotification(ctx context.Context, inv *invocation) error {
	b, capabilities, err := s.actionBlock(ctx, inv)
	if err != nil {
		return err
	}
	if !slices.Contains(capabilities, "notify") {
		return failed("The referenced block was not a notification block")
	}
	texts, err := s.rendered(ctx, inv, core.Deref(inv.action.Subject), inv.action.Body)
	if err != nil {
		return err
	}
	if err := notify.Notify(ctx, b, texts[0], texts[1]); err != nil {
		inv.details["notification_log"] = err.Error()
		return failed("Notification failed: %v", err)
	}
	return nil
}

func (s *Automations) callWebhook(ctx context.Context, inv *invocation) error {
	b, _, err := s.actionBlock(ctx, inv)
	if err != nil {
		return err
	}
	if b.Slug != "webhook" {
		return failed("The referenced block was not a webhook block")
	}
	texts, err := s.rendered(ctx, inv, textOf(inv.action.Payload))
	if err != nil {
		return err
	}
	answer, err := notify.CallWebhook(ctx, b, texts[0])
	if err != nil {
		return failed("Webhook call failed: %v", err)
	}
	inv.details["status_code"] = answer.Status
	inv.details["response_body"] = core.CutText(answer.Body, 1000)
	if answer.Status >= 300 {
		return failed("Webhook call failed: it answered %d", answer.Status)
	}
	return nil
}
