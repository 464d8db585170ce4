package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestPythonResult(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PREFECT_LOCAL_STORAGE_PATH", dir)
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const meta = `,"serializer":{"type":"json"},"storage_block_id":null}`
	for _, tc := range []struct{ name, file, data, want string }{
		{"a flow's bare result", "6", `{"storage_key":"$"` + meta, "6"},
		{"a task's record", `{"metadata":{"serializer":{"type":"json"}},"result":"[1,2]"}`, `{"storage_key":"$"}`, "[1,2]"},
		{"a compressed record", `{"metadata":{"serializer":{"type":"compressed/json"}},"result":"eJwzAgAAMwAz"}`, `{"storage_key":"$"}`, ""},
		{"pickled", "gASVBgAAAAAAAABLBi4=", `{"storage_key":"$","serializer":{"type":"pickle"}}`, ""},
		{"a large number", "12345678901234567890", `{"storage_key":"$"` + meta, "12345678901234567890"},
		{"a model", `{"__class__":"m.Conf","data":{"rows":[{"__class__":"m.Row","data":{"n":1}}]}}`, `{"storage_key":"$"` + meta, `{"rows":[{"n":1}]}`},
		{"a relative key", "null", `{"storage_key":"relative"` + meta, "null"},
		{"in a storage block", "6", `{"storage_key":"$","serializer":{"type":"json"},"storage_block_id":"0191e3f0-0000-7000-8000-000000000000"}`, ""},
		{"gone", "", `{"storage_key":"/no/such/file"` + meta, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			name := "x"
			if tc.name == "a relative key" {
				name = "relative"
			}
			path := put(name, tc.file)
			data := core.JSON(tc.data)
			for i := 0; i+1 < len(data); i++ {
				if data[i] == '"' && data[i+1] == '$' {
					data = core.JSON(string(data[:i+1]) + path + string(data[i+2:]))
					break
				}
			}
			got, err := Unpack(t.Context(), nil, data)
			if tc.want == "" && err == nil || tc.want != "" && (err != nil || string(got) != tc.want) {
				t.Errorf("got %s %v, want %s", got, err, tc.want)
			}
		})
	}
}
