package queries

import "github.com/flowlite/flowlite/runtime/core"

// These are Postgres's: with a SQLite file, results are files beside it.

func PutResult(key string, content []byte, now core.Time) Query {
	return Query{SQL: `INSERT INTO result (key, content, created) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET content = excluded.content, created = excluded.created`, Args: []any{key, content, now}}
}

func Result(key string) Query {
	return Query{SQL: `SELECT content FROM result WHERE key = $1`, Args: []any{key}}
}

// ResultUpTo is the size of a result, and the result if it has at most so many bytes.
func ResultUpTo(key string, most int64) Query {
	return Query{SQL: `SELECT octet_length(content), CASE WHEN octet_length(content) <= $2 THEN content END
FROM result WHERE key = $1`, Args: []any{key, most}}
}

// DeleteResults are those whose keys begin with the folder and a slash: the
// character behind the slash is 0.
func DeleteResults(folder string) Query {
	return Query{SQL: `DELETE FROM result WHERE key >= $1 AND key < $2`, Args: []any{folder + "/", folder + "0"}}
}
