package core

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Time is microseconds since the epoch, UTC: INTEGER in SQLite, TIMESTAMPTZ in
// Postgres, RFC 3339 with a Z in JSON. The zero value is NULL.
type Time int64

// TimeFrom converts t, rounded down to microseconds; the zero time becomes the zero Time.
func TimeFrom(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMicro())
}

func Now() Time { return Time(time.Now().UnixMicro()) }

func (t Time) IsZero() bool             { return t == 0 }
func (t Time) Time() time.Time          { return time.UnixMicro(int64(t)).UTC() }
func (t Time) Add(d time.Duration) Time { return t + Time(d.Microseconds()) }
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Microsecond }
func (t Time) Before(u Time) bool       { return t < u }
func (t Time) After(u Time) bool        { return t > u }

// String prints whole seconds without a fraction, as the API does.
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	if t%1e6 == 0 {
		return t.Time().Format("2006-01-02T15:04:05Z")
	}
	return t.Time().Format("2006-01-02T15:04:05.000000Z")
}

// ParseTime reads RFC 3339 and its kin: a space for the T, any offset, none
// (UTC), a bare date, or seconds since the epoch.
func ParseTime(s string) (Time, error) {
	v := strings.TrimSpace(s)
	if len(v) > 10 && (v[10] == ' ' || v[10] == 't') {
		v = v[:10] + "T" + v[11:]
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, v); err == nil {
			return TimeFrom(t).bounded()
		}
	}
	return 0, fmt.Errorf("%q is not a date and time; write one like 2026-11-23T09:00:00Z", s)
}

// What Python's datetime can hold. PostgreSQL would take other years, but no
// client could read them.
var (
	firstTime = Time(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	lastTime  = Time(time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro())
)

func (t Time) bounded() (Time, error) {
	if t < firstTime || t > lastTime {
		return 0, errors.New("a date and time must lie in the years 1 to 9999 (UTC)")
	}
	return t, nil
}

var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02",
}

func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

func (t *Time) UnmarshalJSON(b []byte) (err error) {
	switch {
	case string(b) == "null":
		*t = 0
		return nil
	case len(b) > 0 && b[0] == '"':
		var s string
		if err = json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t, err = ParseTime(s)
		return err
	}
	var f float64
	if err = json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("%s is not a date and time", b)
	}
	if f > 2e10 { // milliseconds, as pydantic guesses
		f /= 1000
	}
	if math.Abs(f) > float64(lastTime) { // far from what an int64 of microseconds can hold
		f = math.Copysign(float64(lastTime), f)
	}
	*t, err = Time(f * 1e6).bounded()
	return err
}

func (t Time) Value() (driver.Value, error) {
	if t == 0 {
		return nil, nil
	}
	return int64(t), nil
}

func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = 0
	case int64:
		*t = Time(v)
	case float64:
		*t = Time(v)
	case time.Time:
		*t = Time(v.UnixMicro())
	default:
		return fmt.Errorf("time: %T", src)
	}
	return nil
}

// Seconds is a duration in JSON: float seconds.
type Seconds float64

func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }
