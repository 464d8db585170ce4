package engine

import (
	"context"
	"sync"
)

type sourceKey struct{}

// With returns a context in which calls outside a run use the Engine that
// source returns at that time.
func With(ctx context.Context, source func() (*Engine, error)) context.Context {
	return context.WithValue(ctx, sourceKey{}, source)
}

// Of returns the Engine of the run that ctx belongs to, or else the one that
// With put into ctx. Nil means that there is neither.
func Of(ctx context.Context) (*Engine, error) {
	if s := scopeOf(ctx); s != nil {
		return s.run.e, nil
	}
	if source, ok := ctx.Value(sourceKey{}).(func() (*Engine, error)); ok {
		return source()
	}
	return nil, nil
}

// Within reports whether ctx belongs to a run.
func Within(ctx context.Context) bool { return scopeOf(ctx) != nil }

var memory struct {
	sync.Mutex
	open   func(context.Context) (*Engine, error)
	engine *Engine
}

// RegisterMemory sets how an Engine that stores runs in memory is made. A
// package calls it from init, as a driver of database/sql registers itself, so
// that only programs that import that package carry a database.
func RegisterMemory(open func(context.Context) (*Engine, error)) {
	memory.Lock()
	defer memory.Unlock()
	memory.open = open
}

// Memory returns the Engine of this process that stores runs in memory, and
// whether this call made it. Nil means that none is registered.
func Memory(ctx context.Context) (e *Engine, made bool, err error) {
	memory.Lock()
	defer memory.Unlock()
	if memory.engine == nil && memory.open != nil {
		memory.engine, err = memory.open(context.WithoutCancel(ctx))
		made = err == nil
	}
	return memory.engine, made, err
}
