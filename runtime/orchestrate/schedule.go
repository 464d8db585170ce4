package orchestrate

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
)

// givenSchedule is a schedule as a client gave it, found good.
type givenSchedule struct {
	core.ScheduleCreate
	rule *schedule.Rule
}

func readSchedules(list []core.ScheduleCreate) ([]givenSchedule, error) {
	out := make([]givenSchedule, 0, len(list))
	slugs := map[string]bool{}
	for _, c := range list {
		rule, err := schedule.Parse(c.Rule)
		if err != nil {
			return nil, err
		}
		if err := checkMaxRuns(c.MaxScheduledRuns); err != nil {
			return nil, err
		}
		c.Slug, c.Replaces = core.Given(c.Slug), core.Given(c.Replaces)
		if c.Slug != nil {
			if slugs[*c.Slug] {
				return nil, slugTaken(*c.Slug)
			}
			slugs[*c.Slug] = true
		}
		out = append(out, givenSchedule{c, rule})
	}
	return out, nil
}

// fresh is the schedule as a new one.
func (g givenSchedule) fresh(deploymentID core.UUID, now core.Time) *core.Schedule {
	return &core.Schedule{ID: core.NewID(), Created: now, Updated: now, DeploymentID: deploymentID, Rule: g.rule.JSON(),
		Active: g.Active.Or(true), MaxScheduledRuns: g.MaxScheduledRuns, Parameters: g.Parameters.OrObject(), Slug: g.Slug}
}

// over sets on e what is given and says whether that changes anything: a
// schedule that a person paused stays so unless active is given.
func (g givenSchedule) over(e *core.Schedule) (changed bool, err error) {
	before := *e
	rule, err := schedule.Parse(schedule.KeepAnchor(g.Rule, e.Rule))
	if err != nil {
		return false, err
	}
	e.Rule, e.Active, e.Slug = rule.JSON(), g.Active.Or(e.Active), g.Slug
	if g.Parameters != nil {
		e.Parameters = g.Parameters.OrObject()
	}
	return e.Active != before.Active || core.Deref(e.Slug) != core.Deref(before.Slug) ||
		!core.SameJSON(e.Rule, before.Rule) || !core.SameJSON(e.Parameters, before.Parameters), nil
}

// sameSchedule are the ways to know a stored schedule again in a list that
// replaces it, surest first.
var sameSchedule = []func(e *core.Schedule, g givenSchedule) bool{
	func(e *core.Schedule, g givenSchedule) bool {
		return e.Slug != nil && g.Slug != nil && *e.Slug == *g.Slug
	},
	func(e *core.Schedule, g givenSchedule) bool {
		return e.Slug != nil && g.Replaces != nil && *e.Slug == *g.Replaces
	},
	func(e *core.Schedule, g givenSchedule) bool {
		return oneSlug(e, g) && core.SameJSON(e.Rule, g.rule.JSON()) && core.SameJSON(e.Parameters, g.Parameters)
	},
	func(e *core.Schedule, g givenSchedule) bool {
		return oneSlug(e, g) && meaningOf(e) == g.rule.Meaning() && core.SameJSON(e.Parameters, g.Parameters)
	},
	func(e *core.Schedule, g givenSchedule) bool { return oneSlug(e, g) && meaningOf(e) == g.rule.Meaning() },
}

// oneSlug: the two may be the same schedule, as far as their slugs tell.
func oneSlug(e *core.Schedule, g givenSchedule) bool { return e.Slug == nil || g.Slug == nil }

func meaningOf(e *core.Schedule) string {
	rule, err := schedule.Parse(e.Rule)
	if err != nil {
		return ""
	}
	return rule.Meaning()
}

func checkMaxRuns(n *int64) error {
	if n != nil && (*n < 1 || *n > 50) {
		return core.InvalidField("max_scheduled_runs", "max_scheduled_runs must be 1 to 50")
	}
	return nil
}

func slugTaken(slug string) error {
	return core.Errorf(core.EConflict, "a schedule with the slug %q already exists in this deployment; slugs must differ", slug)
}

// replaceSchedules makes the schedules of d those that are given. A stored one
// that is given again is changed where it stands, so that it keeps its id: by
// its slug, by its rule, or because one schedule is left on either side, which
// is then taken for the same with another rule.
func (s *Service) replaceSchedules(ctx context.Context, tx scheduleTx, d *core.Deployment, given []givenSchedule) error {
	stored, err := tx.Schedules(ctx, d.ID)
	if err != nil {
		return err
	}
	known := make([]*core.Schedule, len(given))
	for _, same := range sameSchedule {
		for i, g := range given {
			at := slices.IndexFunc(stored, func(e *core.Schedule) bool { return same(e, g) })
			if known[i] == nil && at >= 0 {
				known[i] = stored[at]
				stored = slices.Delete(stored, at, at+1)
			}
		}
	}
	if i := slices.Index(known, nil); i >= 0 && len(stored) == 1 && oneSlug(stored[0], given[i]) && !slices.Contains(known[i+1:], nil) {
		known[i], stored = stored[0], nil
	}
	for _, e := range stored {
		if err := tx.DeleteSchedule(ctx, e.ID); err != nil {
			return err
		}
	}
	now := s.now()
	for i, e := range known {
		if e == nil {
			continue
		}
		changed, err := given[i].over(e)
		if err != nil {
			return err
		}
		if e.Updated = now; changed {
			if err := tx.UpdateSchedule(ctx, e); err != nil {
				return err
			}
		}
	}
	for i, g := range given {
		if known[i] != nil {
			continue
		}
		// Clients set it in a schedule of their own; inside a deployment Prefect drops it.
		g.MaxScheduledRuns = nil
		if err := tx.InsertSchedule(ctx, g.fresh(d.ID, now)); err != nil {
			return err
		}
	}
	return nil
}

// patchSchedules: where all schedules, stored and given, have slugs, the given
// ones are changed or added by slug and none is deleted; where only the stored
// ones have, it is refused; otherwise the given ones replace the stored.
func (s *Service) patchSchedules(ctx context.Context, tx scheduleTx, d *core.Deployment, given []core.ScheduleUpdate) error {
	stored, err := tx.Schedules(ctx, d.ID)
	if err != nil {
		return err
	}
	bySlug := map[string]*core.Schedule{}
	for _, e := range stored {
		if e.Slug != nil {
			bySlug[*e.Slug] = e
		}
	}
	slugged := len(stored) > 0 && len(bySlug) == len(stored)
	var fresh []core.ScheduleCreate
	for _, u := range given {
		slug := core.Given(u.Slug.Ptr())
		if slugged && slug == nil {
			return core.InvalidField(
				"schedules",
				"the deployment's schedules have slugs, so each given schedule needs one: the slug says which is meant",
			)
		}
		from := slug
		if r := core.Given(u.Replaces.Ptr()); r != nil {
			from = r
		}
		if e := bySlug[core.Deref(from)]; slugged && e != nil {
			if err := s.changeSchedule(ctx, tx, e, u); err != nil {
				return err
			}
			continue
		}
		if !u.Rule.Set {
			return core.InvalidField("schedules", "a new schedule needs the key schedule")
		}
		fresh = append(fresh, core.ScheduleCreate{Rule: u.Rule.V, Active: u.Active, Parameters: u.Parameters.Or(nil), Slug: slug,
			Replaces: u.Replaces.Ptr()})
	}
	added, err := readSchedules(fresh)
	if err != nil {
		return err
	}
	if !slugged {
		return s.replaceSchedules(ctx, tx, d, added)
	}
	for _, g := range added {
		if err := tx.InsertSchedule(ctx, g.fresh(d.ID, s.now())); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) changeSchedule(ctx context.Context, tx scheduleTx, e *core.Schedule, u core.ScheduleUpdate) error {
	if u.Rule.Set && !u.Rule.Null {
		rule, err := schedule.Parse(schedule.KeepAnchor(u.Rule.V, e.Rule))
		if err != nil {
			return err
		}
		e.Rule = rule.JSON()
	}
	if u.MaxScheduledRuns.Set {
		if err := checkMaxRuns(u.MaxScheduledRuns.Ptr()); err != nil {
			return err
		}
		e.MaxScheduledRuns = u.MaxScheduledRuns.Ptr()
	}
	if u.Slug.Set {
		e.Slug = core.Given(u.Slug.Ptr())
	}
	if u.Parameters.Set {
		e.Parameters = u.Parameters.Or(nil).OrObject()
	}
	e.Active, e.Updated = u.Active.Or(e.Active), s.now()
	return tx.UpdateSchedule(ctx, e)
}

// CreateSchedules adds schedules. ENotFound without the deployment, EConflict
// for a taken slug.
func (s *Service) CreateSchedules(ctx context.Context, deploymentID core.UUID, list []core.ScheduleCreate) ([]*core.Schedule, error) {
	given, err := readSchedules(list)
	if err != nil {
		return nil, err
	}
	made := make([]*core.Schedule, len(given))
	err = s.onSchedules(ctx, deploymentID, func(tx core.Tx, stored []*core.Schedule) error {
		for i, g := range given {
			made[i] = g.fresh(deploymentID, s.now())
			if err := checkSlug(stored, made[i]); err != nil {
				return err
			}
			if err := tx.InsertSchedule(ctx, made[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return made, err
}

// UpdateSchedule returns ENotFound unless the deployment has that schedule.
func (s *Service) UpdateSchedule(ctx context.Context, deploymentID, id core.UUID, u core.ScheduleUpdate) error {
	return s.onSchedules(ctx, deploymentID, func(tx core.Tx, stored []*core.Schedule) error {
		e, err := pick(stored, id)
		if err != nil {
			return err
		}
		if u.Slug.Set {
			if err := checkSlug(stored, &core.Schedule{ID: id, Slug: core.Given(u.Slug.Ptr())}); err != nil {
				return err
			}
		}
		return s.changeSchedule(ctx, tx, e, u)
	})
}

// DeleteSchedule returns ENotFound unless the deployment has that schedule.
func (s *Service) DeleteSchedule(ctx context.Context, deploymentID, id core.UUID) error {
	return s.onSchedules(ctx, deploymentID, func(tx core.Tx, stored []*core.Schedule) error {
		if _, err := pick(stored, id); err != nil {
			return err
		}
		return tx.DeleteSchedule(ctx, id)
	})
}

// onSchedules changes a deployment's schedules; the deployment counts as
// updated, so that ScheduleRecent looks at it, and its plan is made to fit.
func (s *Service) onSchedules(ctx context.Context, deploymentID core.UUID, fn func(tx core.Tx, stored []*core.Schedule) error) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		d, err := tx.LockDeployment(ctx, deploymentID)
		if err != nil {
			return err
		}
		stored, err := tx.Schedules(ctx, deploymentID)
		if err != nil {
			return err
		}
		if err := fn(tx, stored); err != nil {
			return err
		}
		d.Updated = s.now()
		if err := tx.UpdateDeployment(ctx, d); err != nil {
			return err
		}
		return s.replan(ctx, tx, out, d)
	})
}

func pick(list []*core.Schedule, id core.UUID) (*core.Schedule, error) {
	for _, e := range list {
		if e.ID == id {
			return e, nil
		}
	}
	return nil, core.NotFound("Schedule")
}

func checkSlug(stored []*core.Schedule, e *core.Schedule) error {
	for _, o := range stored {
		if e.Slug != nil && o.Slug != nil && *o.Slug == *e.Slug && o.ID != e.ID {
			return slugTaken(*e.Slug)
		}
	}
	return nil
}
