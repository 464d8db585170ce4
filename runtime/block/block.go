package block

import (
	"log/slog"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/template"
)

// Config is what Blocks needs. All fields are required.
type Config struct {
	Store  Store
	Bus    core.Bus
	Commit *commit.Writer
	Sealer core.Sealer
	Log    *slog.Logger
	Now    func() core.Time

	Templates template.Engine // renders parameters
}

// Store is what is read outside of a transaction.
type Store interface {
	core.BlockReader
	core.SettingReader
	Variables
}

// Tx is what blocks read and write in a transaction.
type Tx interface {
	core.BlockReader
	core.BlockTx
}

// Blocks has the use cases of block types, schemas, and documents.
type Blocks struct {
	store   Store
	bus     core.Bus
	commit  *commit.Writer
	sealer  core.Sealer
	log     *slog.Logger
	now     func() core.Time
	secrets secretWords

	templates template.Engine
}

// New returns Blocks on c.
func New(c Config) *Blocks {
	return &Blocks{store: c.Store, bus: c.Bus, commit: c.Commit, sealer: c.Sealer, log: c.Log, now: c.Now, templates: c.Templates}
}

// ForgetSecrets lets the values that are masked be read again: another server may
// have changed them.
func (s *Blocks) ForgetSecrets() { s.secrets.forget() }
