package engine

// Definition holds the Flow of a typed flow. A type that embeds it is Defined
// without showing an exported method or field of it to its users.
type Definition struct{ flow Flow }

// Define returns the Definition of f.
func Define(f Flow) Definition { return Definition{f} }

func (d *Definition) definition() *Flow { return &d.flow }

// Defined is implemented by a pointer to whatever embeds a Definition.
type Defined interface{ definition() *Flow }

// FlowOf returns the Flow that d was defined with.
func FlowOf(d Defined) *Flow { return d.definition() }
