package dbtest

import (
	"github.com/flowlite/flowlite/runtime/core"
)

func newAutomation(s *suite, name, owner string) *core.Automation {
	a := &core.Automation{ID: core.NewID(), Created: s.now, Updated: s.now, Name: name, Description: "d", Enabled: true, Tags: core.Tags{"t"}, OwnerResource: owner,
		Trigger: &core.Trigger{Type: core.TriggerEvent, ID: core.NewID(), Expect: []string{"x"}, Posture: core.Reactive, Threshold: core.Ptr(int64(2)), Within: core.Ptr(core.Seconds(5))},
		Actions: []*core.AutomationAction{{Type: "run-deployment", Source: "selected", DeploymentID: core.NewID(), Parameters: core.JSON(`{"a":1}`)}}}
	s.write(func(tx core.Tx) error { return tx.InsertAutomation(s.ctx, a) })
	return a
}

func automations(s *suite) {
	total, _, err := s.AutomationsVersion(s.ctx)
	s.ok(err)
	s.eq(total, 0)
	a, b := newAutomation(s, "a", ""), newAutomation(s, "b", "prefect.deployment.1")
	got := must(s.Automation(s.ctx, a.ID))(s)
	s.eq(string(core.ToJSON(got)), string(core.ToJSON(a)))
	s.eq(*got.Trigger.Threshold, 2)
	for _, sort := range core.AutomationSorts {
		s.eq(len(must(s.Automations(s.ctx, nil, core.Page{Sort: sort}))(s)), 2)
	}
	s.eq(must(s.CountAutomations(s.ctx, &core.AutomationFilter{Name: &core.TextFilter{Any: []string{"b"}}}))(s), 1)
	s.eq(len(must(s.AllAutomations(s.ctx))(s)), 2)
	a.Enabled, a.Updated = false, s.now+1
	s.write(func(tx core.Tx) error {
		if got, err := tx.LockAutomation(s.ctx, a.ID); err != nil || got.Name != "a" {
			s.Errorf("locked %v, %v", got, err)
		}
		return tx.UpdateAutomation(s.ctx, a)
	})
	total, latest, err := s.AutomationsVersion(s.ctx)
	s.ok(err)
	s.eq(total, 2)
	s.eq(latest, s.now+1)
	s.write(func(tx core.Tx) error {
		for resource, want := range map[string]int64{"": 0, "prefect.deployment.2": 0, "prefect.deployment.1": 1} {
			if n, err := tx.DeleteAutomationsOwnedBy(s.ctx, resource); err != nil || n != want {
				s.Errorf("owned by %q: %d, %v", resource, n, err)
			}
		}
		return nil
	})
	s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.DeleteAutomation(s.ctx, b.ID) }), core.ENotFound)
	s.write(func(tx core.Tx) error { return tx.DeleteAutomation(s.ctx, a.ID) })
}

func automationWork(s *suite) {
	a := newAutomation(s, "a", "")
	events := []*core.Event{{ID: core.NewID(), Occurred: s.now}, {ID: core.NewID(), Occurred: s.now - 5}}
	for range 2 { // an event is queued once
		s.write(func(tx core.Tx) error { return tx.QueueAutomationEvents(s.ctx, events, s.now) })
	}
	due := must(s.DueAutomationEvents(s.ctx, s.now, 10))(s)
	s.eq(len(due), 2)
	s.eq(due[0].EventID, events[1].ID)
	s.eq(len(must(s.DueAutomationEvents(s.ctx, s.now-1, 10))(s)), 0)
	s.write(func(tx core.Tx) error { return tx.ParkAutomationEvent(s.ctx, events[0].ID, s.now+9) })
	s.eq(len(must(s.DueAutomationEvents(s.ctx, s.now, 10))(s)), 1)
	for _, want := range []bool{true, false} {
		s.write(func(tx core.Tx) error {
			got, err := tx.TakeAutomationEvent(s.ctx, events[1].ID)
			s.eq(got, want)
			return err
		})
	}
	s.eq(must(s.AutomationEventWaits(s.ctx, events[0].ID))(s), true)
	s.eq(must(s.AutomationEventWaits(s.ctx, events[1].ID))(s), false)

	b := &core.Bucket{AutomationID: a.ID, TriggerID: a.Trigger.ID, Key: `["k"]`, Start: s.now, End: s.now + 5, Count: 1, LastEvent: core.JSON(`{"id":"x"}`)}
	s.write(func(tx core.Tx) error { return tx.PutBucket(s.ctx, b) })
	b.Count, b.LastEvent = 2, nil
	s.write(func(tx core.Tx) error { return tx.PutBucket(s.ctx, b) })
	s.eq(*must(s.Bucket(s.ctx, b.TriggerID, b.Key))(s), *b)
	s.eq(len(must(s.ClosedBuckets(s.ctx, s.now+4, 10))(s)), 0)
	s.eq(len(must(s.ClosedBuckets(s.ctx, s.now+5, 10))(s)), 1)

	parent := core.NewID()
	for i, id := range []core.UUID{core.NewID(), core.NewID()} {
		f := &core.ChildFiring{AutomationID: a.ID, ParentID: parent, TriggerID: id, Fired: s.now - core.Time(i), Firing: core.JSON(`{}`)}
		s.write(func(tx core.Tx) error { return tx.PutChildFiring(s.ctx, f) })
	}
	children := must(s.ChildFirings(s.ctx, parent))(s)
	s.eq(len(children), 2)
	s.eq(children[0].Fired, s.now-1)
	s.write(func(tx core.Tx) error { return tx.DeleteChildFirings(s.ctx, parent, s.now) })
	s.eq(len(must(s.ChildFirings(s.ctx, parent))(s)), 1)

	s.write(func(tx core.Tx) error { return tx.ForgetAutomation(s.ctx, a.ID) })
	s.eq(len(must(s.ChildFirings(s.ctx, parent))(s)), 0)
	_, err := s.Bucket(s.ctx, b.TriggerID, b.Key)
	s.code(err, core.ENotFound)

	x := &core.DueAction{ID: core.NewID(), AutomationID: a.ID, Index: 3, Action: core.JSON(`{"type":"do-nothing"}`), Firing: core.JSON(`{}`), Triggered: s.now, Due: s.now}
	s.write(func(tx core.Tx) error { return tx.InsertDueAction(s.ctx, x) })
	actions := must(s.DueActions(s.ctx, s.now, 10))(s)
	s.eq(len(actions), 1)
	s.eq(actions[0].Index, 3)
	for _, want := range []bool{true, false} { // of two that saw it due, one has it
		s.write(func(tx core.Tx) error {
			got, err := tx.ClaimDueAction(s.ctx, actions[0], s.now+100)
			s.eq(got, want)
			return err
		})
	}
	s.eq(len(must(s.DueActions(s.ctx, s.now, 10))(s)), 0)
	s.eq(must(s.DueActions(s.ctx, s.now+100, 10))(s)[0].Attempts, 1)
	for range 2 { // the second return finds a claim that is not its own
		s.write(func(tx core.Tx) error { return tx.ReturnDueAction(s.ctx, actions[0], s.now+1) })
		s.eq(must(s.DueActions(s.ctx, s.now+1, 10))(s)[0].Attempts, 0)
	}
	for _, want := range []bool{true, false} {
		s.write(func(tx core.Tx) error {
			got, err := tx.DeleteDueAction(s.ctx, x.ID)
			s.eq(got, want)
			return err
		})
	}
}
