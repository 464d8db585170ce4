package flowlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/schema"
)

// Task is a unit of work of flows: retried, timed, cached and remembered.
type Task[In, Out any] struct{ t engine.Task }

// NewTask makes a task. Input and output must have a JSON form.
func NewTask[In, Out any](name string, fn func(ctx context.Context, in In) (Out, error), opts ...TaskOption) *Task[In, Out] {
	if name == "" {
		panic("flowlite.NewTask: a task needs a name")
	}
	call := func(ctx context.Context, in any) (core.JSON, error) {
		v, _ := in.(In)
		return encoded(fn(ctx, v))
	}
	t := &Task[In, Out]{engine.Task{Name: name, Decode: stored(reflect.TypeFor[In]()), InputType: inputType(reflect.TypeFor[In]()), Fn: call}}
	for _, o := range opts {
		o.applyTask(&t.t.Options)
	}
	return t
}

// Name of the task.
func (t *Task[In, Out]) Name() string { return t.t.Name }

// With is the same task with more options.
func (t *Task[In, Out]) With(opts ...TaskOption) *Task[In, Out] {
	c := *t
	for _, o := range opts {
		o.applyTask(&c.t.Options)
	}
	return &c
}

// Run calls the task and returns when its outcome is durable.
func (t *Task[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return decoded[Out](engine.Call(ctx, &t.t, in))
}

// Submit starts the task and returns at once.
func (t *Task[In, Out]) Submit(ctx context.Context, in In) *Future[Out] {
	return &Future[Out]{engine.Submit(ctx, &t.t, in)}
}

// mapAtOnce is how many calls Map and Each have in hand without MaxConcurrency.
const mapAtOnce = 1024

// Map calls the task for every input at once. The results have the order of
// the inputs, with the zero value where a call failed; the errors are joined.
func (t *Task[In, Out]) Map(ctx context.Context, in []In) ([]Out, error) {
	out := make([]Out, len(in))
	var errs []error
	t.forEach(ctx, in, func(i int, v Out, err error) {
		if out[i] = v; err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", t.t.Name, i, err))
		}
	})
	return out, errors.Join(errs...)
}

// Outcome is what became of one input of MapAll.
type Outcome[In, Out any] struct {
	In  In
	Out Out
	Err error
}

// MapAll calls the task for every input at once, and returns an Outcome for each,
// in the order of the inputs. A call that fails does not stop the others and is no
// error of MapAll. The error is that of ctx: if it is not nil, return it, because
// outcomes may be missing.
func (t *Task[In, Out]) MapAll(ctx context.Context, in []In) ([]Outcome[In, Out], error) {
	out := make([]Outcome[In, Out], len(in))
	t.forEach(ctx, in, func(i int, v Out, err error) { out[i] = Outcome[In, Out]{in[i], v, err} })
	return out, context.Cause(ctx)
}

// forEach calls done in the order of the inputs.
func (t *Task[In, Out]) forEach(ctx context.Context, in []In, done func(i int, v Out, err error)) {
	futures := make([]*Future[Out], len(in))
	width := t.width()
	get := func(i int) {
		v, err := futures[i].Get(ctx)
		done(i, v, err)
	}
	for i, v := range in {
		if i >= width {
			get(i - width)
		}
		futures[i] = t.Submit(ctx, v)
	}
	for i := max(0, len(in)-width); i < len(in); i++ {
		get(i)
	}
}

func (t *Task[In, Out]) width() int {
	if n := t.t.Options.Concurrency; n > 0 {
		return max(n, 1)
	}
	return mapAtOnce
}

// Each calls the task for every input of a sequence of whatever length, in
// bounded memory, and yields the outcomes as they come.
func (t *Task[In, Out]) Each(ctx context.Context, in iter.Seq[In]) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		type outcome struct {
			v   Out
			err error
		}
		ctx, cancel := context.WithCancel(ctx)
		width := min(t.width(), 64)
		done := make(chan outcome, width)
		places := make(chan struct{}, width)
		go func() {
			var wg sync.WaitGroup
			defer close(done)
			defer wg.Wait()
			for v := range in {
				select {
				case places <- struct{}{}:
				case <-ctx.Done():
					return
				}
				f := t.Submit(ctx, v)
				wg.Go(func() {
					v, err := f.Get(context.WithoutCancel(ctx))
					done <- outcome{v, err}
					<-places
				})
			}
		}()
		defer func() {
			cancel()
			for range done {
			}
		}()
		for o := range done {
			if !yield(o.v, o.err) {
				return
			}
		}
	}
}

// stored returns a function that reads an input of an earlier version of the
// code into a t, once with its new fields at zero and once at their defaults.
func stored(t reflect.Type) func(core.JSON) ([]any, error) {
	return func(in core.JSON) ([]any, error) {
		texts := []core.JSON{in}
		if t.Kind() == reflect.Struct {
			if s, err := schema.Of(t); err == nil {
				texts = append(texts, schema.Defaults(s, in))
			}
		}
		var values []any
		for _, text := range texts {
			v := reflect.New(t)
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber()
			if err := d.Decode(v.Interface()); err != nil {
				return nil, err
			}
			values = append(values, v.Elem().Interface())
		}
		return values, nil
	}
}

// inputType returns a function that digests a type as JSON sees it: its fields,
// their names, and their types.
func inputType(t reflect.Type) func() string {
	return sync.OnceValue(func() string {
		h := sha256.New()
		writeType(h, t, nil)
		return hex.EncodeToString(h.Sum(nil)[:8])
	})
}

func writeType(w io.Writer, t reflect.Type, within []reflect.Type) {
	if t == nil || slices.Contains(within, t) {
		_, _ = fmt.Fprintf(w, "%v;", t)
		return
	}
	within = append(within, t)
	switch t.Kind() {
	case reflect.Struct:
		_, _ = io.WriteString(w, "struct{")
		for f := range t.Fields() {
			if f.IsExported() || f.Anonymous {
				_, _ = fmt.Fprintf(w, "%s %q ", f.Name, f.Tag.Get("json"))
				writeType(w, f.Type, within)
			}
		}
		_, _ = io.WriteString(w, "}")
	case reflect.Pointer, reflect.Slice, reflect.Array:
		_, _ = io.WriteString(w, t.Kind().String()+" ")
		writeType(w, t.Elem(), within)
	case reflect.Map:
		_, _ = io.WriteString(w, "map ")
		writeType(w, t.Key(), within)
		writeType(w, t.Elem(), within)
	default:
		_, _ = io.WriteString(w, t.Kind().String()+";")
	}
}

func encoded[T any](v T, err error) (core.JSON, error) {
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, Permanent(fmt.Errorf("the result cannot be encoded as JSON: %w", err))
	}
	return b, nil
}

func decoded[T any](b core.JSON, err error) (v T, _ error) {
	if err != nil || b.IsNull() {
		return v, err
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("the result is no %T: %w", v, err)
	}
	return v, nil
}
