package core

import "strings"

// GlobalConcurrencyLimit is a v2 limit. Its active slots are derived from live
// slot leases plus what decays, never a counter that can leak.
type GlobalConcurrencyLimit struct {
	ID                      UUID    `json:"id"`
	Created                 Time    `json:"created"`
	Updated                 Time    `json:"updated"`
	Active                  bool    `json:"active"`
	Name                    string  `json:"name"`
	Limit                   int64   `json:"limit"`
	ActiveSlots             int64   `json:"active_slots"`
	DeniedSlots             int64   `json:"denied_slots"`
	SlotDecayPerSecond      float64 `json:"slot_decay_per_second"`
	AvgSlotOccupancySeconds float64 `json:"avg_slot_occupancy_seconds"`
}

// TagLimitPrefix begins the names of the global limits that are limits of tags.
const TagLimitPrefix = "tag:"

// Tag is the tag that the limit is of; "" for a limit that is no tag's.
func (l *GlobalConcurrencyLimit) Tag() string {
	tag, _ := strings.CutPrefix(l.Name, TagLimitPrefix)
	if tag == l.Name {
		return ""
	}
	return tag
}

type GlobalConcurrencyLimitCreate struct {
	Active                  Opt[bool]    `json:"active,omitzero"`
	Name                    string       `json:"name"`
	Limit                   int64        `json:"limit"`
	ActiveSlots             int64        `json:"active_slots,omitempty"`
	DeniedSlots             int64        `json:"denied_slots,omitempty"`
	SlotDecayPerSecond      float64      `json:"slot_decay_per_second,omitempty"`
	AvgSlotOccupancySeconds Opt[float64] `json:"avg_slot_occupancy_seconds,omitzero"`
}

type GlobalConcurrencyLimitUpdate struct {
	Active             Opt[bool]    `json:"active,omitzero"`
	Name               Opt[string]  `json:"name,omitzero"`
	Limit              Opt[int64]   `json:"limit,omitzero"`
	ActiveSlots        Opt[int64]   `json:"active_slots,omitzero"`
	DeniedSlots        Opt[int64]   `json:"denied_slots,omitzero"`
	SlotDecayPerSecond Opt[float64] `json:"slot_decay_per_second,omitzero"`
}

// SlotRequest takes slots of several limits, all or none.
type SlotRequest struct {
	Slots         int64    `json:"slots"`
	Names         []string `json:"names"`
	Mode          string   `json:"mode,omitempty"`                   // concurrency (default) or rate_limit
	LeaseDuration float64  `json:"lease_duration_seconds,omitempty"` // with a lease: 60 to 86400, default 300
	Holder        JSON     `json:"holder,omitempty"`
}

// SlotRelease gives slots back.
type SlotRelease struct {
	Slots            int64    `json:"slots"`
	Names            []string `json:"names"`
	OccupancySeconds *float64 `json:"occupancy_seconds,omitempty"`
}

// SlotLease is a set of slots that returns by itself: when it is not renewed,
// or, where the client knows no leases (Counted), when what holds it has ended.
type SlotLease struct {
	ID         UUID   `json:"id"`
	Created    Time   `json:"created"`
	Expires    Time   `json:"expires"`
	Limits     []UUID `json:"limits"`
	Slots      int64  `json:"slots"`
	Holder     JSON   `json:"holder"`
	Counted    bool   `json:"-"`
	HolderType string `json:"-"` // task_run, flow_run, or what the client says; "" is unknown
	HolderID   UUID   `json:"-"`
	ClientID   UUID   `json:"-"` // the connection through which the holder was heard of
}

// SlotHolder is who occupies slots of a limit.
type SlotHolder struct {
	Lease   UUID   // zero: a live run of a deployment that the limit is for
	Type    string // flow_run, task_run, or what the client says; "" is unknown
	ID      UUID
	Slots   int64
	Since   Time
	Expires Time // Forever where no clock takes the slots back
}

// HoldsDeployment is the HolderType of a lease that keeps a run's slot of its
// deployment's limit. While it is Counted it was never renewed.
const HoldsDeployment = "deployment"

// Forever is the expiry of slots that no clock takes back.
const Forever = Time(253_370_764_800_000_000) // the year 9999

// TagLimit is a v1 limit: that of the global limit tag:<tag>, told by who holds it.
type TagLimit struct {
	ID          UUID   `json:"id"`
	Created     Time   `json:"created"`
	Updated     Time   `json:"updated"`
	Tag         string `json:"tag"`
	Limit       int64  `json:"concurrency_limit"`
	ActiveSlots []UUID `json:"active_slots"` // task runs
}

type TagLimitCreate struct {
	Tag   string `json:"tag"`
	Limit int64  `json:"concurrency_limit"`
}

// MinimalLimit is how increments name the limits they took from.
type MinimalLimit struct {
	ID    UUID   `json:"id"`
	Name  string `json:"name"`
	Limit int64  `json:"limit"`
}

type SlotGrant struct {
	LeaseID UUID           `json:"lease_id"`
	Limits  []MinimalLimit `json:"limits"`
}
