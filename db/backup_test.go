package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
)

func put(t *testing.T, s core.Store, key, value string) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx core.Tx) error { return tx.PutSetting(t.Context(), key, core.ToJSON(value)) }); err != nil {
		t.Fatal(err)
	}
}

func setting(t *testing.T, url, key string) string {
	t.Helper()
	s := open(t, url)
	defer s.Close()
	v, err := s.Setting(t.Context(), key)
	if err != nil && !core.IsNotFound(err) {
		t.Fatal(err)
	}
	return string(v)
}

// A backup needs nothing of a server: it is made in the midst of its writes,
// even of one that is under way.
func TestBackupWhileInUse(t *testing.T) {
	dir := t.TempDir()
	url, file := filepath.Join(dir, "x.db"), filepath.Join(dir, "backup of x.db")
	s := open(t, url)
	put(t, s, "k", "before")
	if err := s.Write(t.Context(), func(tx core.Tx) error {
		if err := tx.PutSetting(t.Context(), "k", core.ToJSON("after")); err != nil {
			return err
		}
		if _, err := db.Backup(t.Context(), url, file, false); err != nil {
			t.Error("beside a write:", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), url, file, false); core.CodeOf(err) != core.EConflict {
		t.Error("over another backup:", err)
	}
	if err := db.Restore(t.Context(), url, file, true); core.CodeOf(err) != core.EUnavailable {
		t.Error("restored under a server:", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := setting(t, url, "k"); got != `"after"` {
		t.Error(got)
	}
	if err := db.Restore(t.Context(), url, file, false); core.CodeOf(err) != core.EConflict {
		t.Error("unasked, over what is there:", err)
	}
	if err := db.Restore(t.Context(), url, file, true); err != nil {
		t.Fatal(err)
	}
	if got := setting(t, url, "k"); got != `"before"` {
		t.Error("restored:", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Error("others can read the backup:", info.Mode(), err)
	}
}

// The log of the database that is replaced must not be taken for the backup's.
func TestRestoreOverLogOfAnother(t *testing.T) {
	dir := t.TempDir()
	url, file := filepath.Join(dir, "x.db"), filepath.Join(dir, "b.db")
	s := open(t, url)
	put(t, s, "k", "old")
	if _, err := db.Backup(t.Context(), url, file, false); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		put(t, s, fmt.Sprint(i), "new")
	}
	log, err := os.ReadFile(url + "-wal") // as a killed server leaves it
	if err != nil || len(log) == 0 {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(url+"-wal", log, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Restore(t.Context(), url, file, true); err != nil {
		t.Fatal(err)
	}
	if got, other := setting(t, url, "k"), setting(t, url, "7"); got != `"old"` || other != "" {
		t.Error(got, other)
	}
	if err := db.Check(t.Context(), url); err != nil {
		t.Error(err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	url, whole := filepath.Join(dir, "x.db"), filepath.Join(dir, "whole.db")
	s := open(t, url)
	for i := range 500 {
		put(t, s, fmt.Sprint(i), strings.Repeat("x", 200))
	}
	if _, err := db.Backup(t.Context(), url, whole, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	b, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	broken := append([]byte(nil), b...)
	for i := len(broken) / 2; i < len(broken); i++ {
		broken[i] = 0xa5
	}
	for name, c := range map[string]struct {
		file string
		code core.Code
	}{
		"no file":      {filepath.Join(dir, "none.db"), core.ENotFound},
		"text":         {write("text.db", []byte(strings.Repeat("no database ", 1000))), core.EUnavailable},
		"cut off":      {write("cut.db", b[:len(b)/2]), core.EUnavailable},
		"overwritten":  {write("broken.db", broken), core.EUnavailable},
		"empty":        {write("empty.db", nil), core.EInvalid},
		"the database": {url, core.EInvalid},
	} {
		if err := db.Restore(t.Context(), url, c.file, true); core.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := setting(t, url, "7"); !strings.Contains(got, "xxx") {
		t.Error("the database was touched:", got)
	}
	if _, err := db.Backup(t.Context(), "postgres://x/y", filepath.Join(dir, "p"), false); core.CodeOf(err) != core.EInvalid {
		t.Error(err)
	}
}
