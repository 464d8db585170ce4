package pgconfig

import (
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

func TestFindPrimary(t *testing.T) {
	for dsn, want := range map[string]bool{
		"postgres://a,b/d": true, "postgres://a:1,a:2/d": true, "postgres://a/d": false,
		"postgres://a/d?target_session_attrs=read-write": true,
	} {
		cfg, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		FindPrimary(&cfg.Config)
		if (cfg.ValidateConnect != nil) != want {
			t.Errorf("%s: %t", dsn, cfg.ValidateConnect != nil)
		}
	}
}

// Values of core's types read back as they were written, in both formats, and
// look to PostgreSQL like those of pgx's own types.
func TestTypes(t *testing.T) {
	id := core.NewID()
	at := core.TimeFrom(time.Date(2031, 2, 3, 4, 5, 6, 789000, time.UTC))
	early := core.TimeFrom(time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, format := range []int16{pgtype.BinaryFormatCode, pgtype.TextFormatCode} {
		roundTrip(t, format, pgtype.UUIDOID, id, pgtype.UUID{Bytes: id, Valid: true})
		roundTrip(t, format, pgtype.UUIDOID, core.UUID{}, pgtype.UUID{})
		roundTrip(t, format, pgtype.TimestamptzOID, core.Time(0), pgtype.Timestamptz{})
		for _, at := range []core.Time{at, core.Forever, early, -1} {
			roundTrip(t, format, pgtype.TimestamptzOID, at, pgtype.Timestamptz{Time: at.Time(), Valid: true})
		}
		roundTrip(t, format, pgtype.UUIDArrayOID, []core.UUID{id, core.NewID()}, nil)
	}
}

func roundTrip[T any](t *testing.T, format int16, oid uint32, v T, theirs any) {
	t.Helper()
	m, ours := pgtype.NewMap(), pgtype.NewMap()
	register(ours)
	b, err := ours.Encode(oid, format, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	if theirs != nil {
		want, err := m.Encode(oid, format, theirs, nil)
		if err != nil || string(b) != string(want) || (b == nil) != (want == nil) {
			t.Errorf("format %d: %v is %q, and pgx writes %q (%v)", format, v, b, want, err)
		}
	}
	var got T
	if err := ours.Scan(oid, format, b, &got); err != nil {
		t.Fatal(err)
	}
	if text := core.ToJSON(got); string(text) != string(core.ToJSON(v)) {
		t.Errorf("format %d: %s, want %v", format, text, v)
	}
}
