package db

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/db/pgdb"
	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pipeline is one transaction on Postgres that sends as late as it can: BEGIN
// goes with the first statement that somebody waits for, a statement whose
// answer nobody looks at (tx.later) with the next one that is sent, and COMMIT
// with the last. A change of state takes three round trips instead of eight.
type pipeline struct {
	conn    *pgx.Conn
	done    *storeCounts
	waiting *pgx.Batch
	promise []promise // of what waits, in its order
	begun   bool
	ended   bool // the server answered COMMIT
}

// promise is what the caller of a waiting statement was told about it.
//
// A caller of tx.later goes on as if its statement had succeeded and had changed
// rows rows. Each answer is checked when it arrives, with the next statement that is
// waited for, or with COMMIT at the latest. An error ends everything that the transaction
// did. So does another number of rows, unless COMMIT was sent with the statement: then
// the caller gets an error for what was committed. The error carries the noun of the
// statement that failed. Therefore a statement may be promised only if its caller needs
// nothing from the answer (a lock whose row is known, an insert with an ID of its own,
// an update of a row that this transaction has locked), and what it would do on failure
// is what the transaction does: give up.
type promise struct {
	noun string
	rows int64  // it changes exactly so many; anyRows
	got  *int64 // where to say how many it changed; nil: nowhere
}

const anyRows = -1

var _ pgdb.DBTX = (*pipeline)(nil)

func (p *pipeline) queue(text string, args []any, told promise) error {
	if err := clean(args); err != nil {
		return err
	}
	if p.waiting == nil {
		p.waiting = &pgx.Batch{}
	}
	if !p.begun {
		p.begun = true
		p.waiting.Queue("BEGIN")
		p.done.statements.Add(1)
		p.promise = append(p.promise, promise{noun: "Transaction", rows: anyRows})
	}
	p.waiting.Queue(text, args...)
	p.done.statements.Add(1)
	p.promise = append(p.promise, told)
	return nil
}

// send sends what waits and one statement more, whose answer comes next in the
// results. The results must be closed; with an error they have been.
func (p *pipeline) send(ctx context.Context, text string, args []any) (pgx.BatchResults, error) {
	if err := p.queue(text, args, promise{}); err != nil {
		return nil, err
	}
	p.promise = p.promise[:len(p.promise)-1]
	return p.sendWaiting(ctx)
}

func (p *pipeline) sendWaiting(ctx context.Context) (pgx.BatchResults, error) {
	batch, told := p.waiting, p.promise
	p.waiting, p.promise = nil, p.promise[:0]
	results := p.conn.SendBatch(ctx, batch)
	for _, t := range told {
		tag, err := results.Exec()
		if err == nil && t.rows != anyRows && tag.RowsAffected() != t.rows {
			err = core.NotFound(t.noun)
		}
		if err != nil {
			_ = results.Close()
			return nil, laterError(err, t.noun)
		}
		if t.got != nil {
			*t.got = tag.RowsAffected()
		}
	}
	return results, nil
}

// flush sends what waits.
func (p *pipeline) flush(ctx context.Context) error {
	if p.waiting == nil {
		return nil
	}
	results, err := p.sendWaiting(ctx)
	if err != nil {
		return err
	}
	return results.Close()
}

// laterError names what failed: the caller who hears of it asked for something
// else.
func laterError(err error, noun string) error {
	r := reader{fail: postgresError}
	return r.err(err, noun)
}

func (p *pipeline) Exec(ctx context.Context, text string, args ...any) (tag pgconn.CommandTag, err error) {
	results, err := p.send(ctx, text, args)
	if err != nil {
		return tag, err
	}
	if tag, err = results.Exec(); err != nil {
		_ = results.Close()
		return tag, err
	}
	return tag, results.Close()
}

func (p *pipeline) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	results, err := p.send(ctx, text, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close()
		return nil, err
	}
	return &pipelineRows{rows, results}, nil
}

func (p *pipeline) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	rows, err := p.Query(ctx, text, args...)
	return pipelineRow{rows, err}
}

func (p *pipeline) commit(ctx context.Context) error {
	if !p.begun {
		return nil
	}
	tag, err := p.Exec(ctx, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	p.ended = err == nil
	return err
}

// rollback of what the server may have begun. A connection that cannot is
// closed when it goes back to its pool.
func (p *pipeline) rollback() {
	if p.ended || p.conn.IsClosed() || p.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_, _ = p.conn.Exec(ctx, "ROLLBACK")
}

// once runs fn in a transaction. own is fn's error.
func (s *postgresStore) once(ctx context.Context, fn func(core.Tx) error) (own, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	p := &pipeline{conn: conn.Conn(), done: &s.done}
	defer p.rollback()
	if own = fn(&tx{reader: newPostgresReader(p), pipe: p}); own != nil {
		s.discard(p, own)
		return own, own
	}
	if err = p.commit(ctx); err == nil {
		s.done.commits.Add(1)
	}
	s.discard(p, err)
	return nil, err
}

// discard closes a session that err says is of no use; its pool makes another.
func (s *postgresStore) discard(p *pipeline, err error) {
	if !sessionVerdict(err).drop {
		return
	}
	s.renew(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.conn.Close(ctx)
}

// laterWrites are statements whose answers nobody looks at.
type laterWrites struct {
	row.Querier
	dynamic
}

// later is for a write that is known to succeed, or whose failure the whole
// transaction shares: on Postgres it is sent with what comes next, and fails
// there, in the name of noun, also if it does not change so many rows.
func (t *tx) later(noun string, rows int64) laterWrites {
	return t.promise(promise{noun: noun, rows: rows})
}

func (t *tx) promise(told promise) laterWrites {
	if t.pipe == nil {
		return laterWrites{t.q, t.dyn}
	}
	db := waiter{t.pipe, told}
	return laterWrites{pgdb.New(db), pgRows{db}}
}

// waiter puts statements into the pipeline and answers as promised.
type waiter struct {
	p *pipeline
	promise
}

var oneRow = pgconn.NewCommandTag("UPDATE 1")

func (w waiter) Exec(_ context.Context, text string, args ...any) (pgconn.CommandTag, error) {
	return oneRow, w.p.queue(text, args, w.promise)
}

// Query is for nothing that could be read later.
func (w waiter) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	return w.p.Query(ctx, text, args...)
}

// QueryRow is for locks: what they return is known.
func (w waiter) QueryRow(_ context.Context, text string, args ...any) pgx.Row {
	return unread{w.p.queue(text, args, w.promise)}
}

type unread struct{ err error }

func (u unread) Scan(...any) error { return u.err }

type pipelineRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r *pipelineRows) Close() {
	r.Rows.Close()
	_ = r.results.Close()
}

type pipelineRow struct {
	rows pgx.Rows
	err  error
}

func (r pipelineRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
