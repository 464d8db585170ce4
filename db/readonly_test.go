package db

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5/pgconn"
)

// sqlstateClasses are those of appendix A of PostgreSQL's manual.
var sqlstateClasses = strings.Fields("00 01 02 03 08 09 0A 0B 0F 0L 0P 0Z 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 40 42 44 53 54 55 57 58 72 F0 HV P0 XX")

func TestVerdicts(t *testing.T) {
	for _, class := range sqlstateClasses {
		if _, ok := verdicts[class]; !ok {
			t.Errorf("class %s has no row", class)
		}
	}
	for state := range verdicts {
		if !slices.Contains(sqlstateClasses, state[:2]) {
			t.Errorf("%s is of no class", state)
		}
	}
	for state, want := range map[string]core.Code{
		"25006": core.EUnavailable, "57P01": core.EUnavailable, "57P03": core.EUnavailable, "08006": core.EUnavailable, "53300": core.EUnavailable, "40001": core.EUnavailable,
		"55P03": core.EUnavailable, "57014": core.EUnavailable, "22003": core.EInvalid, "22021": core.EInvalid, "54000": core.EInvalid, "23505": core.EConflict, "23503": core.EConflict,
		"23502": core.EInternal, "42601": core.EInternal, "XX000": core.EInternal, "ZZ999": core.EInternal,
	} {
		if got := core.CodeOf(postgresError(&pgconn.PgError{Code: state, Message: "m"}, "Flow")); got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
	}
}

// TestReadOnly: sessions that only read are replaced, a database that only
// reads is unavailable for writes and still read, and writes go on by
// themselves as soon as it accepts them.
func TestReadOnly(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue
		}
		dsn := e.URL(t)
		s, err := Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pg := s.(*postgresStore)
		write := func() error {
			return s.Write(t.Context(), func(tx core.Tx) error {
				f := &core.Flow{ID: core.NewID(), Created: core.Now(), Updated: core.Now(), Name: core.NewID().String()}
				_, _, err := tx.UpsertFlow(t.Context(), f)
				return err
			})
		}
		// Sessions that stay, as those do that a failover leaves on a standby.
		spoil := func() {
			conns := pg.pool.AcquireAllIdle(t.Context())
			for len(conns) < 3 {
				c, err := pg.pool.Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, c)
			}
			for _, c := range conns {
				if _, err := c.Exec(t.Context(), "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range conns {
				c.Release()
			}
		}
		spoil()
		if err := write(); err != nil {
			t.Error("sessions that only read:", err)
		}
		results := Results(s)
		spoil()
		pg.renewed.Store(0)
		err = results.Put(t.Context(), "k", []byte("v"))
		if core.CodeOf(err) == core.EUnavailable {
			err = results.Put(t.Context(), "k", []byte("v"))
		}
		if err != nil {
			t.Error("outside of a transaction:", err)
		}
		dbtest.SetReadOnly(t, dsn, "on")
		spoil()
		if err := write(); core.CodeOf(err) != core.EUnavailable {
			t.Error("a database that only reads:", err)
		}
		if _, err := s.CountFlows(t.Context(), core.Filters{}); err != nil {
			t.Error("read of a database that only reads:", err)
		}
		dbtest.SetReadOnly(t, dsn, "off")
		if err := write(); err != nil {
			t.Error("it accepts writes again:", err)
		}
	}
}

// Open of several hosts fails at once while none accepts writes.
func TestNoPrimary(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue
		}
		dsn := e.URL(t)
		dbtest.SetReadOnly(t, dsn, "on")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		at, _ := url.Parse(dsn)
		at.Host += "," + strings.Replace(at.Host, "127.0.0.1", "localhost", 1)
		if _, err := Open(ctx, at.String()); core.CodeOf(err) != core.EUnavailable || errors.Is(err, context.DeadlineExceeded) {
			t.Error("no host accepts writes:", err)
		}
		dbtest.SetReadOnly(t, dsn, "off")
		s, err := Open(ctx, at.String())
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
}
