// Package data has what flows read and leave behind besides their states:
// variables, artifacts, and logs. It also has the saved searches of the pages.
package data

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// Config is what the types of this package need. All fields are required.
type Config struct {
	Store  Reader
	Commit *commit.Writer
	Now    func() core.Time
	Masker Masker
}

// Reader is what is read outside of a transaction.
type Reader interface {
	VariableByName(ctx context.Context, name string) (*core.Variable, error)
	Logs(ctx context.Context, f *core.LogFilter, p core.Page) ([]*core.Log, error)
}

// Masker knows the values that must not be stored in the clear.
type Masker interface {
	// Masker returns what replaces the values of secrets; nil if there are none.
	Masker(ctx context.Context) *core.Mask
}

// Variables has the use cases of variables.
type Variables struct {
	store  Reader
	commit *commit.Writer
	now    func() core.Time
}

// NewVariables returns Variables on c.
func NewVariables(c Config) *Variables { return &Variables{c.Store, c.Commit, c.Now} }

// Artifacts has the use cases of artifacts.
type Artifacts struct {
	commit *commit.Writer
	now    func() core.Time
	masker Masker
}

// NewArtifacts returns Artifacts on c.
func NewArtifacts(c Config) *Artifacts { return &Artifacts{c.Commit, c.Now, c.Masker} }

// SavedSearches has the use cases of saved searches.
type SavedSearches struct {
	commit *commit.Writer
	now    func() core.Time
}

// NewSavedSearches returns SavedSearches on c.
func NewSavedSearches(c Config) *SavedSearches { return &SavedSearches{c.Commit, c.Now} }

// Logs stores log entries.
type Logs struct {
	store  Reader
	commit *commit.Writer
	now    func() core.Time
	masker Masker
}

// NewLogs returns Logs on c.
func NewLogs(c Config) *Logs { return &Logs{c.Store, c.Commit, c.Now, c.Masker} }
