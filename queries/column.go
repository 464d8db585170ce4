package queries

import (
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
)

// column is one column of rows as an array of Postgres, and the array's type. Rows of
// any number are then one text, which the server parses and plans once.
func column(rows [][]any, j int) (array any, kind string, err error) {
	switch v := rows[0][j].(type) {
	case core.UUID:
		return listOf[core.UUID](rows, j), "uuid", nil
	case core.Time:
		return listOf[core.Time](rows, j), "timestamptz", nil
	case core.JSON:
		return jsonColumn(rows, j, func(a any) (*string, error) {
			if j := a.(core.JSON); j != nil {
				return core.Ptr(string(j)), nil
			}
			return nil, nil
		})
	case core.Tags:
		return jsonColumn(rows, j, func(a any) (*string, error) {
			text, err := a.(core.Tags).Value()
			if err != nil {
				return nil, err
			}
			return core.Ptr(text.(string)), nil
		})
	case string:
		return listOf[string](rows, j), "text", nil
	case *string:
		return listOf[*string](rows, j), "text", nil
	case int64:
		return listOf[int64](rows, j), "bigint", nil
	case float64:
		return listOf[float64](rows, j), "float8", nil
	case bool:
		return listOf[bool](rows, j), "boolean", nil
	default:
		return nil, "", fmt.Errorf("no array of %T", v)
	}
}

func listOf[T any](rows [][]any, j int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = r[j].(T)
	}
	return out
}

// JSONColumn is a column of JSON: as an array of arrays of bytes it would have two
// dimensions.
type JSONColumn []*string

func jsonColumn(rows [][]any, j int, text func(any) (*string, error)) (JSONColumn, string, error) {
	out := make(JSONColumn, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = text(r[j]); err != nil {
			return nil, "", err
		}
	}
	return out, "jsonb", nil
}
