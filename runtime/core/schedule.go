package core

// Schedule is an entry of a deployment's schedules.
type Schedule struct {
	ID               UUID    `json:"id"`
	Created          Time    `json:"created"`
	Updated          Time    `json:"updated"`
	DeploymentID     UUID    `json:"deployment_id"`
	Rule             JSON    `json:"schedule"` // interval, cron or rrule; package schedule reads it
	Active           bool    `json:"active"`
	MaxScheduledRuns *int64  `json:"max_scheduled_runs"`
	Parameters       JSON    `json:"parameters"`
	Slug             *string `json:"slug"`
}

// SlotRun is a run that was made for a slot of a schedule.
type SlotRun struct {
	ID         UUID
	At         Time   // when the slot is
	ScheduleID UUID   // the schedule's id at that time
	Shown      string // its slug or kind, as people are shown it
	Slot       string // what the schedule means; "" for a run of an older version
}

type ScheduleCreate struct {
	Rule             JSON      `json:"schedule"`
	Active           Opt[bool] `json:"active,omitzero"`
	MaxScheduledRuns *int64    `json:"max_scheduled_runs,omitempty"`
	Parameters       JSON      `json:"parameters,omitempty"`
	Slug             *string   `json:"slug,omitempty"`
	Replaces         *string   `json:"replaces,omitempty"` // newer clients: the slug that this one replaces
}

type ScheduleUpdate struct {
	Rule             Opt[JSON]   `json:"schedule,omitzero"`
	Active           Opt[bool]   `json:"active,omitzero"`
	MaxScheduledRuns Opt[int64]  `json:"max_scheduled_runs,omitzero"`
	Parameters       Opt[JSON]   `json:"parameters,omitzero"`
	Slug             Opt[string] `json:"slug,omitzero"`
	Replaces         Opt[string] `json:"replaces,omitzero"`
}
