package engine

import "context"

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
