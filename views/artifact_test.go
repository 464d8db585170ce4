package views

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// Each shape of a table shows its numbers as they are written, in the order of
// its columns.
func TestTablesShowNumbersAsWritten(t *testing.T) {
	for _, data := range []string{
		`[{"z":12345678901234567890123,"a":1.0,"m":1e400}]`,
		`[["z","a","m"],[12345678901234567890123,1.0,1e400]]`,
		`{"z":[12345678901234567890123],"a":[1.0],"m":[1e400]}`,
		`"[{\"z\":12345678901234567890123,\"a\":1.0,\"m\":1e400}]"`,
	} {
		table := readTable(core.JSON(data))
		if table == nil || len(table.rows) != 1 {
			t.Errorf("%s is no table", data)
			continue
		}
		for i, want := range []string{"12345678901234567890123", "1.0", "1e400"} {
			if c := table.rows[0][i]; c.text != want || !c.number {
				t.Errorf("%s: column %s is %+v, want %s", data, table.head[i], c, want)
			}
		}
	}
}
