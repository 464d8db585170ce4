package orchestrate

import (
	petname "github.com/dustinkirkland/golang-petname"

	"github.com/flowlite/flowlite/runtime/core"
)

// newName is the name of a run that was given none: adjective-animal.
func newName() string { return petname.Adjective() + "-" + petname.Name() }

// integrity is the answer to an id in a body that names nothing.
func integrity(noun string, id core.UUID) *core.Error {
	return core.Errorf(
		core.EConflict,
		"Data integrity conflict: there is no %s %s. This usually means a unique or foreign key constraint was violated.",
		noun,
		id,
	)
}
