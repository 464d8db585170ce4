package engine

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

type pythonSerializer struct {
	Type string `json:"type"`
}

// pythonResult reads the file that a Python flow's state or task names. That of
// a task is a record which tells of its serializer; a flow's state tells that
// itself, and its file is the bare result.
func pythonResult(d resultData) (core.JSON, error) {
	if d.Block != nil {
		return nil, core.Errorf(
			core.EBadRequest,
			"the Python result is in the storage block %s, which only Prefect can read; let that flow keep its results in local storage",
			*d.Block,
		)
	}
	b, err := os.ReadFile(storagePath(d.StorageKey))
	if err != nil {
		return nil, core.Errorf(core.ENotFound, "the Python result cannot be read here: %w", err)
	}
	var record struct {
		Metadata struct {
			Serializer pythonSerializer `json:"serializer"`
		} `json:"metadata"`
		Result *string `json:"result"`
	}
	kind := d.Serializer.Type
	if json.Unmarshal(b, &record) == nil && record.Metadata.Serializer.Type != "" && record.Result != nil {
		kind, b = record.Metadata.Serializer.Type, []byte(*record.Result)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber() // a number stays as it is written
	if !strings.HasSuffix(kind, "json") || dec.Decode(&v) != nil {
		return nil, core.Errorf(
			core.EBadRequest,
			"the Python result is not JSON; set PREFECT_RESULTS_DEFAULT_SERIALIZER=json for that flow, or result_serializer=\"json\"",
		)
	}
	return core.ToJSON(plain(v)), nil
}

// storagePath is the file behind a key of Prefect's local storage.
func storagePath(key string) string {
	if filepath.IsAbs(key) {
		return key
	}
	dir := os.Getenv("PREFECT_LOCAL_STORAGE_PATH")
	if dir == "" {
		home := os.Getenv("PREFECT_HOME")
		if home == "" {
			user, _ := os.UserHomeDir()
			home = filepath.Join(user, ".prefect")
		}
		dir = filepath.Join(home, "storage")
	}
	return filepath.Join(dir, filepath.Clean("/"+key))
}

// plain drops the names of Python classes that Prefect's encoder puts around
// what JSON has no word for.
func plain(v any) any {
	switch t := v.(type) {
	case []any:
		for i := range t {
			t[i] = plain(t[i])
		}
	case map[string]any:
		if data, ok := t["data"]; ok && len(t) == 2 {
			if _, ok := t["__class__"].(string); ok {
				return plain(data)
			}
		}
		for k := range t {
			t[k] = plain(t[k])
		}
	}
	return v
}
