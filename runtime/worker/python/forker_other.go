//go:build unix && !linux

package python

import "context"

// Forking without exec is not safe where system libraries start threads.
type parent struct{}

func (f *Forker) Fork(context.Context, Request) (*Child, error) { return nil, ErrNoFork }

func (f *Forker) Close() {}

func (f *Forker) Parents() int { return 0 }
