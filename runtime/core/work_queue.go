package core

type WorkQueue struct {
	ID               UUID    `json:"id"`
	Created          Time    `json:"created"`
	Updated          Time    `json:"updated"`
	Name             string  `json:"name"`
	Description      *string `json:"description"`
	IsPaused         bool    `json:"is_paused"`
	ConcurrencyLimit *int64  `json:"concurrency_limit"`
	Priority         int64   `json:"priority"` // 1 is served first
	WorkPoolID       UUID    `json:"work_pool_id"`
	Filter           JSON    `json:"filter"`
	LastPolled       Time    `json:"last_polled"`
	WorkPoolName     *string `json:"work_pool_name"`
	Status           *string `json:"status"`
}

type WorkQueueCreate struct {
	Name             string  `json:"name"`
	Description      *string `json:"description,omitempty"`
	IsPaused         bool    `json:"is_paused,omitempty"`
	ConcurrencyLimit *int64  `json:"concurrency_limit,omitempty"`
	Priority         *int64  `json:"priority,omitempty"`
	Filter           JSON    `json:"filter,omitempty"`
}

type WorkQueueUpdate struct {
	Name             Opt[string] `json:"name,omitzero"`
	Description      Opt[string] `json:"description,omitzero"`
	IsPaused         Opt[bool]   `json:"is_paused,omitzero"`
	ConcurrencyLimit Opt[int64]  `json:"concurrency_limit,omitzero"`
	Priority         Opt[int64]  `json:"priority,omitzero"`
	LastPolled       Opt[Time]   `json:"last_polled,omitzero"`
	Filter           Opt[JSON]   `json:"filter,omitzero"`
}

type WorkQueueFilter struct {
	Operator Operator    `json:"operator,omitempty"`
	ID       *IDFilter   `json:"id,omitempty"`
	Name     *TextFilter `json:"name,omitempty"`
}
