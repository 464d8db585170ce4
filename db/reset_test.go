package db_test

import (
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

func TestReset(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			url := e.URL(t)
			s := open(t, url)
			if err := s.Write(t.Context(), func(tx core.Tx) error { return tx.PutSetting(t.Context(), "x", core.JSON("1")) }); err != nil {
				t.Fatal(err)
			}
			if e.Name == "sqlite" {
				if err := db.Reset(t.Context(), url); core.CodeOf(err) != core.EUnavailable {
					t.Errorf("a file in use was reset: %v", err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := db.Reset(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			s = open(t, url)
			if v, err := s.Setting(t.Context(), "x"); !core.IsNotFound(err) {
				t.Errorf("what was there is there still: %s, %v", v, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if err := db.Reset(t.Context(), "sqlite::memory:"); core.CodeOf(err) != core.EInvalid {
		t.Error(err)
	}
}
