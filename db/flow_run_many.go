package db

import (
	"context"
	"reflect"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// How many rows one statement of many inserts at most: on SQLite, where each row is
// part of its text, and on Postgres.
const (
	manyRows        = 64
	manyRowsColumns = 1000
)

// values are the fields of the parameters of an insert, in the order of its columns.
func values(params any) []any {
	v := reflect.ValueOf(params)
	out := make([]any, v.NumField())
	for i := range out {
		out[i] = v.Field(i).Interface()
	}
	return out
}

// many runs a statement for each part of the rows. On SQLite, lists of any length share
// a few statements: parts are of manyRows, and then of powers of two.
func (t *tx) many(rows [][]any, fn func(part [][]any) error) error {
	for len(rows) > 0 {
		n := manyRows
		if t.d == queries.Postgres {
			n = min(manyRowsColumns, len(rows))
		}
		for n > len(rows) {
			n /= 2
		}
		if err := fn(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// addMany writes rows without waiting for the result of each statement; changeMany does
// so, too, and fails the transaction unless each row was there.
func (t *tx) addMany(ctx context.Context, noun string, rows [][]any, q func(queries.Dialect, [][]any) queries.Query) error {
	return t.many(rows, func(part [][]any) error {
		return t.err(t.later(noun, anyRows).exec(ctx, q(t.d, part)), noun)
	})
}

func (t *tx) changeMany(ctx context.Context, noun string, rows [][]any, q func([][]any) queries.Query) error {
	return t.many(rows, func(part [][]any) error {
		return t.err(t.later(noun, int64(len(part))).exec(ctx, q(part)), noun)
	})
}

func (t *tx) InsertFlowRuns(ctx context.Context, runs []*core.FlowRun, past ...[]*core.State) ([]bool, error) {
	rows := make([][]any, len(runs))
	keyed := false
	for i, f := range runs {
		if err := readyFlowRun(f); err != nil {
			return nil, err
		}
		if err := checkStates(f, past, i); err != nil {
			return nil, err
		}
		keyed = keyed || f.IdempotencyKey != nil
		rows[i] = values(insertFlowRun(f))
	}
	if t.st != nil && len(runs) >= wideFrom {
		if err := t.st.widen(ctx); err != nil {
			return nil, t.err(err, "Flow run")
		}
	}
	fresh := make([]bool, len(runs))
	if keyed { // only a key may be taken
		written := make(map[core.UUID]bool, len(runs))
		err := t.many(rows, func(part [][]any) error {
			return t.dyn.rows(ctx, queries.AddFlowRuns(t.d, part), func(scan func(...any) error) error {
				var id core.UUID
				err := scan(&id)
				written[id] = true
				return err
			})
		})
		if err != nil {
			return nil, t.err(err, "Flow run")
		}
		for i, f := range runs {
			fresh[i] = written[f.ID]
		}
	} else {
		if err := t.addMany(ctx, "Flow run", rows, queries.AddFlowRuns); err != nil {
			return nil, err
		}
		for i := range fresh {
			fresh[i] = true
		}
	}
	var history, tags [][]any
	for i, f := range runs {
		if !fresh[i] {
			continue
		}
		for _, tag := range f.Tags {
			tags = append(tags, []any{tag, f.ExpectedStartTime, f.ID})
		}
		for _, s := range states(f, past, i) {
			history = append(history, values(insertFlowRunState(f.ID, s)))
		}
	}
	if err := t.addMany(ctx, "Tag", tags, queries.AddFlowRunTags); err != nil {
		return nil, err
	}
	return fresh, t.addMany(ctx, "State of the flow run", history, queries.AddFlowRunStates)
}

// states are those of the i-th of many runs, the present one last.
func states(f *core.FlowRun, past [][]*core.State, i int) (all []*core.State) {
	if i < len(past) {
		all = append(all, past[i]...)
	}
	if f.State != nil {
		all = append(all, f.State)
	}
	return all
}

func checkStates(f *core.FlowRun, past [][]*core.State, i int) error {
	for _, s := range states(f, past, i) {
		if err := core.MaxStateName.Check(s.Name); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) SetFlowRunStates(ctx context.Context, runs []*core.FlowRun) error {
	if t.d == queries.SQLite || len(runs) <= 1 {
		for _, f := range runs {
			if err := t.SetFlowRunState(ctx, f); err != nil {
				return err
			}
		}
		return nil
	}
	var history [][]any
	rows := make([][]any, len(runs))
	for i, f := range runs {
		stateColumns(f)
		if err := checkStates(f, nil, i); err != nil {
			return err
		}
		for _, s := range states(f, nil, i) {
			history = append(history, values(insertFlowRunState(f.ID, s)))
		}
		rows[i] = values(setFlowRunState(f))
	}
	if err := t.addMany(ctx, "State of the flow run", history, queries.AddFlowRunStates); err != nil {
		return err
	}
	return t.changeMany(ctx, "Flow run", rows, queries.SetFlowRunStates)
}
