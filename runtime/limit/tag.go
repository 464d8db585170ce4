package limit

import (
	"context"
	"fmt"
	"slices"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// The limit of a tag is the global limit tag:<tag>, so that clients of v1 and
// those that take leases of it count together.
const TagPrefix = core.TagLimitPrefix

const noTagLimit = "Concurrency limit"

// SetTagLimit makes the limit of a tag, or changes it.
func (s *Limits) SetTagLimit(ctx context.Context, c core.TagLimitCreate) (*core.TagLimit, error) {
	if c.Tag == "" {
		return nil, core.InvalidField("tag", "the tag must not be empty")
	}
	if core.DotSegment(c.Tag) || c.Tag == "/" {
		return nil, core.InvalidField(
			"tag",
			"the tag of a concurrency limit must not be ., .. or /, which mean directories in a URL; choose another tag",
		)
	}
	var l *core.GlobalConcurrencyLimit
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) (err error) {
		l, err = tx.GlobalLimitByName(ctx, TagPrefix+c.Tag)
		if core.IsNotFound(err) {
			l = NewLimit(s.now(), TagPrefix+c.Tag, c.Limit)
			return tx.InsertGlobalLimit(ctx, l)
		}
		if err != nil {
			return err
		}
		l.Limit, l.Updated = c.Limit, s.now()
		return tx.UpdateGlobalLimit(ctx, l)
	})
	if err != nil {
		return nil, err
	}
	return s.tagLimit(ctx, l)
}

func (s *Limits) tagLimit(ctx context.Context, l *core.GlobalConcurrencyLimit) (*core.TagLimit, error) {
	t := &core.TagLimit{ID: l.ID, Created: l.Created, Updated: l.Updated, Tag: l.Tag(), Limit: l.Limit, ActiveSlots: []core.UUID{}}
	leases, err := s.store.SlotLeases(ctx, l.ID, s.now())
	for _, x := range leases {
		if x.HolderType == "task_run" {
			t.ActiveSlots = append(t.ActiveSlots, x.HolderID)
		}
	}
	return t, err
}

// TagLimit returns ENotFound if there is no tag's limit with the id.
func (s *Limits) TagLimit(ctx context.Context, id core.UUID) (*core.TagLimit, error) {
	l, err := s.store.GlobalLimit(ctx, id)
	if err == nil && l.Tag() == "" {
		err = core.NotFound(noTagLimit)
	}
	if err != nil {
		return nil, err
	}
	return s.tagLimit(ctx, l)
}

// TagLimitByTag returns ENotFound if the tag has no limit.
func (s *Limits) TagLimitByTag(ctx context.Context, tag string) (*core.TagLimit, error) {
	l, err := s.store.GlobalLimitByName(ctx, TagPrefix+tag)
	if err != nil {
		return nil, err
	}
	return s.tagLimit(ctx, l)
}

func (s *Limits) TagLimits(ctx context.Context, p core.Page) ([]*core.TagLimit, error) {
	limits, err := s.store.GlobalLimits(ctx, true, p)
	if err != nil {
		return nil, err
	}
	out := make([]*core.TagLimit, len(limits))
	for i, l := range limits {
		if out[i], err = s.tagLimit(ctx, l); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ResetTagLimit takes all slots back and gives them to the task runs named.
// ENotFound if the tag has no limit.
func (s *Limits) ResetTagLimit(ctx context.Context, tag string, holders []core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		limits, err := tx.LockGlobalLimits(ctx, []string{TagPrefix + tag})
		if err != nil {
			return err
		}
		if len(limits) == 0 {
			return core.NotFound(noTagLimit)
		}
		l := limits[0]
		leases, err := tx.SlotLeases(ctx, l.ID, s.now())
		if err != nil {
			return err
		}
		for _, x := range leases {
			if err := tx.DeleteSlotLease(ctx, x.ID); err != nil {
				return err
			}
		}
		for _, id := range holders {
			if err := s.count(ctx, tx, l, taskSlot(id)); err != nil {
				return err
			}
		}
		l.ActiveSlots, l.Updated = 0, s.now()
		return tx.UpdateGlobalLimit(ctx, l)
	})
}

// DeleteTagLimit returns ENotFound if there is no tag's limit with the id.
func (s *Limits) DeleteTagLimit(ctx context.Context, id core.UUID) error {
	if _, err := s.TagLimit(ctx, id); err != nil {
		return err
	}
	return s.DeleteGlobalLimit(ctx, id)
}

func taskSlot(id core.UUID) core.SlotRequest {
	return core.SlotRequest{Slots: 1, Holder: core.ToJSON(map[string]string{"type": "task_run", "id": id.String()})}
}

// tagWait is when a task run may ask again for the slot of a tag.
const tagWait = 30

// TagsFull is why a task run may not run now (RetryAfter), or ever.
func TagsFull(tag string, limit int64) *core.Error {
	if limit == 0 {
		return &core.Error{
			Code:    core.ELocked,
			Message: fmt.Sprintf("The concurrency limit on tag %q is 0 and will deadlock if the task tries to run again.", tag),
		}
	}
	return &core.Error{Code: core.ELocked, Message: fmt.Sprintf("Concurrency limit for the %s tag has been reached", tag), RetryAfter: tagWait}
}

// LockTags locks the limits of tags and says, as an error, which of them has
// no slot for the task run. One that the run holds already is none it waits for.
func (s *Limits) LockTags(
	ctx context.Context,
	tx Tx,
	tags []string,
	taskRunID core.UUID,
) (limits, wanted []*core.GlobalConcurrencyLimit, full *core.Error, err error) {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = TagPrefix + tag
	}
	if limits, err = tx.LockGlobalLimits(ctx, names); err != nil {
		return nil, nil, nil, err
	}
	limits = slices.DeleteFunc(limits, func(l *core.GlobalConcurrencyLimit) bool { return !l.Active })
	for _, l := range limits {
		if l.Limit == 0 {
			return limits, nil, TagsFull(l.Tag(), 0), nil
		}
	}
	for _, l := range limits {
		leases, err := tx.SlotLeases(ctx, l.ID, s.now())
		if err != nil {
			return nil, nil, nil, err
		}
		occupied, holds := DecayedSlots(l, s.now()), false
		for _, x := range leases {
			occupied += x.Slots
			holds = holds || x.HolderType == "task_run" && x.HolderID == taskRunID
		}
		switch {
		case holds:
		case occupied >= l.Limit:
			return limits, nil, TagsFull(l.Tag(), l.Limit), nil
		default:
			wanted = append(wanted, l)
		}
	}
	return limits, wanted, nil, nil
}

func (s *Limits) CountTags(ctx context.Context, tx Tx, limits []*core.GlobalConcurrencyLimit, taskRunID core.UUID) error {
	for _, l := range limits {
		if err := s.count(ctx, tx, l, taskSlot(taskRunID)); err != nil {
			return err
		}
	}
	return nil
}

// TakeTagSlots takes a slot of each tag that has a limit, for a task run of a
// client that knows no leases; asked again, it answers again. ELocked without
// RetryAfter means that waiting is in vain.
func (s *Limits) TakeTagSlots(ctx context.Context, tags []string, taskRunID core.UUID) (taken []core.MinimalLimit, err error) {
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		taken = []core.MinimalLimit{}
		limits, wanted, full, err := s.LockTags(ctx, tx, tags, taskRunID)
		if err != nil {
			return err
		}
		if full != nil {
			return full
		}
		for _, l := range limits {
			taken = append(taken, core.MinimalLimit{ID: l.ID, Name: l.Tag(), Limit: l.Limit})
		}
		return s.CountTags(ctx, tx, wanted, taskRunID)
	})
	return taken, err
}

// ReturnTagSlots gives back what TakeTagSlots took.
func (s *Limits) ReturnTagSlots(
	ctx context.Context,
	tags []string,
	taskRunID core.UUID,
	seconds *float64,
) (freed []core.MinimalLimit, err error) {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = TagPrefix + tag
	}
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		freed = []core.MinimalLimit{}
		limits, err := tx.LockGlobalLimits(ctx, names)
		if err != nil {
			return err
		}
		for _, l := range limits {
			freed = append(freed, core.MinimalLimit{ID: l.ID, Name: l.Tag(), Limit: l.Limit})
			leases, err := tx.SlotLeases(ctx, l.ID, s.now())
			if err != nil {
				return err
			}
			for _, x := range leases {
				if x.HolderType == "task_run" && x.HolderID == taskRunID {
					if err := tx.DeleteSlotLease(ctx, x.ID); err != nil {
						return err
					}
				}
			}
			if seconds == nil {
				continue
			}
			averageOccupied(l, *seconds, 1)
			l.Updated = s.now()
			if err := tx.UpdateGlobalLimit(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
	return freed, err
}
