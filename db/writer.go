package db

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

var errClosed = &core.Error{Code: core.EUnavailable, Message: "the database is closed"}

// writer is the group commit of SQLite: whoever waits first leads, and commits
// everything that waits in one transaction on the one writing connection. The
// leader is a caller, not a goroutine of its own: a lone caller would pay for
// being woken twice as much as for its statements.
type writer struct {
	st   *statements
	tx   *tx
	ch   chan *op
	lead chan struct{} // holds a token while somebody leads
	quit chan struct{}
	idle chan struct{} // closed when nobody will lead again
	once sync.Once
	ops  []*op // of the leader
	done storeCounts
}

// maxBatch bounds how long the first op of a commit waits for the others.
const maxBatch = 512

type op struct {
	ctx   context.Context
	fn    func(core.Tx) error
	err   error
	panic any
	done  chan struct{}
}

func newWriter(st *statements, t *tx) *writer {
	return &writer{st: st, tx: t, ch: make(chan *op, 1024), lead: make(chan struct{}, 1), quit: make(chan struct{}), idle: make(chan struct{})}
}

func (w *writer) Write(ctx context.Context, fn func(core.Tx) error) error {
	return w.done.count(func() error { return w.do(&op{ctx: ctx, fn: fn, done: make(chan struct{})}) })
}

func (w *writer) do(o *op) error {
	select {
	case <-w.quit:
		return errClosed
	default:
	}
	select {
	case w.ch <- o:
	case <-o.ctx.Done():
		return o.ctx.Err()
	case <-w.quit:
		return errClosed
	}
	for waiting := true; waiting; { // once queued, the answer is what the database did
		select {
		case <-o.done:
			waiting = false
		case w.lead <- struct{}{}:
			w.batch()
			<-w.lead
		case <-w.idle:
			select {
			case <-o.done:
				waiting = false
			default:
				return errClosed
			}
		}
	}
	if o.panic != nil {
		panic(o.panic)
	}
	return o.err
}

// batch commits what waits; only the leader may call it.
func (w *writer) batch() (some bool) {
	select {
	case first := <-w.ch:
		w.ops = w.commit(append(w.ops[:0], first))
		w.st.narrow()
		for _, o := range w.ops {
			close(o.done)
		}
		clear(w.ops)
		return true
	default:
		return false // another leader took it
	}
}

func (w *writer) exec(text string) error {
	_, err := w.st.ExecContext(context.Background(), text)
	return err
}

func (w *writer) commitNow() error {
	err := w.exec("COMMIT")
	if err == nil {
		w.done.commits.Add(1)
	}
	return err
}

// call keeps a panic of fn in its caller's goroutine.
func (w *writer) call(o *op) (err error) {
	defer func() {
		if p := recover(); p != nil {
			o.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return o.fn(w.tx)
}

// runInSavepoint runs an op within the open transaction, in a savepoint; broken says that
// SQLite ended the transaction itself, as it does when the disk is full.
func (w *writer) runInSavepoint(o *op) (broken bool) {
	if o.err = o.ctx.Err(); o.err != nil {
		return false
	}
	if err := w.exec("SAVEPOINT op"); err != nil {
		o.err = sqliteError(err, "Transaction")
		return true
	}
	if o.err = w.call(o); o.err != nil {
		if err := w.exec("ROLLBACK TO op"); err != nil {
			return true
		}
	}
	return w.exec("RELEASE op") != nil
}

// run runs an op without a savepoint, which costs a copy of each page that is
// changed. undo says that it failed and may have left something behind.
func (w *writer) run(o *op) (undo bool) {
	if o.err = o.ctx.Err(); o.err != nil {
		return false
	}
	w.st.wrote = false
	if o.err = w.call(o); o.err == nil {
		return false
	}
	if w.st.wrote || o.panic != nil {
		return true
	}
	// SQLite may have ended the transaction over an error of its own.
	switch e, ok := errors.AsType[*core.Error](o.err); {
	case !ok, e.Code == core.EInternal, e.Code == core.EUnavailable:
		return true
	}
	return false
}

// commit runs the batch, and what arrives meanwhile, in one transaction. An op
// that fails after it wrote makes all of them run again, each in a savepoint.
func (w *writer) commit(batch []*op) []*op {
	err := w.exec("BEGIN IMMEDIATE")
	for i := 0; err == nil && i < len(batch); i++ {
		if w.run(batch[i]) {
			_ = w.exec("ROLLBACK")
			if len(batch) > 1 {
				w.retryWithSavepoints(batch)
			}
			return batch
		}
		if len(batch) < maxBatch {
			batch = w.more(batch, i == len(batch)-1)
		}
	}
	if err == nil {
		if err = w.commitNow(); err == nil {
			return batch
		}
	}
	_ = w.exec("ROLLBACK")
	if len(batch) > 1 {
		w.retryEach(batch)
	} else if o := batch[0]; o.err == nil {
		o.err = sqliteError(err, "Transaction")
	}
	return batch
}

// more takes up an op that waits. At the end of a batch those whom the last
// commit woke get a moment to come: they would wait for a whole commit more.
func (w *writer) more(batch []*op, last bool) []*op {
	for n := 0; ; n++ {
		select {
		case o := <-w.ch:
			return append(batch, o)
		default:
		}
		if !last || n == moments {
			return batch
		}
		runtime.Gosched()
	}
}

const moments = 2

// retryWithSavepoints runs ops in one transaction, each in a savepoint of its own.
func (w *writer) retryWithSavepoints(batch []*op) {
	err := w.exec("BEGIN IMMEDIATE")
	broken := err != nil
	for i := 0; !broken && i < len(batch); i++ {
		batch[i].err, batch[i].panic = nil, nil
		broken = w.runInSavepoint(batch[i])
	}
	if !broken && w.commitNow() == nil {
		return
	}
	_ = w.exec("ROLLBACK")
	w.retryEach(batch)
}

// retryEach gives each op a transaction, so that one bad op fails alone.
func (w *writer) retryEach(batch []*op) {
	for _, o := range batch {
		o.err, o.panic = nil, nil
		if err := w.exec("BEGIN IMMEDIATE"); err != nil {
			o.err = sqliteError(err, "Transaction")
			continue
		}
		if w.runInSavepoint(o) || o.err != nil {
			_ = w.exec("ROLLBACK")
			if o.err == nil {
				o.err = &core.Error{Code: core.EUnavailable, Message: "the database ended the transaction"}
			}
		} else if err := w.commitNow(); err != nil {
			o.err = sqliteError(err, "Transaction")
			_ = w.exec("ROLLBACK")
		}
	}
}

func (w *writer) stop() {
	w.once.Do(func() {
		close(w.quit)
		w.lead <- struct{}{} // and nobody gets it back
		for w.batch() {      // what was accepted is still done
		}
		close(w.idle)
	})
	<-w.idle
}
