package db

import (
	"context"
	"database/sql/driver"
	"strings"
	"unsafe"

	"github.com/flowlite/flowlite/runtime/core"
)

// direct is the connection of SQLite's writer as the driver made it. Statements
// that give no rows go to it without database/sql, whose conversions and locks
// cost a fifth of what such a statement allocates; database/sql has the same
// connection for the others. Only the leader of a batch uses either.
type direct struct {
	driver.Connector
	conn driver.Conn
	args []driver.NamedValue
}

// Connect is database/sql asking for the writer's one connection.
func (d *direct) Connect(ctx context.Context) (conn driver.Conn, err error) {
	d.conn, err = d.Connector.Connect(ctx)
	return d.conn, err
}

func (d *direct) prepare(text string) (driver.StmtExecContext, error) {
	st, err := d.conn.(driver.ConnPrepareContext).PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	return st.(driver.StmtExecContext), nil
}

func (d *direct) exec(st driver.StmtExecContext, args []any) (driver.Result, error) {
	d.args = d.args[:0]
	for i, a := range args {
		v, err := driverValue(a)
		if err != nil {
			return nil, err
		}
		d.args = append(d.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	defer clear(d.args)
	return st.ExecContext(context.Background(), d.args)
}

// driverValue is what the driver takes of an argument. It copies nothing: JSON, a
// []byte, becomes a string over the same memory, where a conversion would copy
// every state and policy that is written once more. That is safe because the string
// does not outlive the call that made it: exec hands it to ExecContext, the driver
// copies it into C memory before it returns, exec then clears d.args, and nobody
// changes the JSON meanwhile, since its owner waits for exec. A driver that kept its
// arguments, or ran statements later, would need a copy here.
func driverValue(a any) (driver.Value, error) {
	switch v := a.(type) {
	case nil, int64, float64, bool, string, []byte:
		return v, nil
	case core.JSON:
		if v == nil {
			return nil, nil
		}
		return unsafe.String(unsafe.SliceData(v), len(v)), nil
	case driver.Valuer:
		return v.Value()
	case *string:
		if v == nil {
			return nil, nil
		}
		return *v, nil
	}
	return driver.DefaultParameterConverter.ConvertValue(a)
}

// unnumbered writes ?1, ?2 … as plain question marks, where that means the same: the
// driver looks up the name of every numbered parameter each time.
func unnumbered(text string) string {
	var b strings.Builder
	next, rest := 1, text
	for {
		i := strings.IndexByte(rest, '?')
		if i < 0 {
			b.WriteString(rest)
			return b.String()
		}
		n, end := 0, i+1
		for ; end < len(rest) && rest[end] >= '0' && rest[end] <= '9'; end++ {
			n = 10*n + int(rest[end]-'0')
		}
		if n != next {
			return text
		}
		next++
		b.WriteString(rest[:i+1])
		rest = rest[end:]
	}
}
