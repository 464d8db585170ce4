package core

// SavedSearch is a named set of filters that a UI keeps.
type SavedSearch struct {
	ID      UUID `json:"id"`
	Created Time `json:"created"`
	Updated Time `json:"updated"`
	SavedSearchCreate
}

type SavedSearchCreate struct {
	Name    string              `json:"name"`
	Filters []SavedSearchFilter `json:"filters"`
}

type SavedSearchFilter struct {
	Object    string `json:"object"`
	Property  string `json:"property"`
	Type      string `json:"type"`
	Operation string `json:"operation"`
	Value     JSON   `json:"value"`
}
