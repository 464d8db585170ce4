package core

import (
	"crypto/sha256"
	"database/sql/driver"
	"fmt"

	"github.com/google/uuid"
)

// UUID is a BLOB(16) in SQLite and a UUID in Postgres. The zero value is NULL.
type UUID [16]byte

func (u UUID) IsZero() bool { return u == UUID{} }

func (u UUID) String() string { return uuid.UUID(u).String() }

// ParseUUID accepts the hyphenated form and the bare 32 hex digits.
func ParseUUID(s string) (UUID, error) {
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 && len(s) != 32 { // Parse takes urn:uuid: and braces, too
		return UUID{}, fmt.Errorf("%q is not a UUID", s)
	}
	return UUID(id), nil
}

func (u UUID) MarshalJSON() ([]byte, error) {
	if u.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + u.String() + `"`), nil
}

func (u *UUID) UnmarshalJSON(b []byte) (err error) {
	if string(b) == "null" {
		*u = UUID{}
		return nil
	}
	if len(b) < 2 || b[0] != '"' {
		return fmt.Errorf("%s is not a UUID", b)
	}
	*u, err = ParseUUID(string(b[1 : len(b)-1]))
	return err
}

func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

func (u *UUID) UnmarshalText(b []byte) (err error) {
	*u, err = ParseUUID(string(b))
	return err
}

func (u UUID) Value() (driver.Value, error) {
	if u.IsZero() {
		return nil, nil
	}
	return u[:], nil
}

func (u *UUID) Scan(src any) (err error) {
	switch v := src.(type) {
	case nil:
		*u = UUID{}
	case []byte:
		if len(v) != 16 {
			return fmt.Errorf("uuid: %d bytes", len(v))
		}
		copy(u[:], v)
	case string:
		*u, err = ParseUUID(v)
	default:
		err = fmt.Errorf("uuid: %T", src)
	}
	return err
}

// Time is the moment a version 7 id was made; zero for any other id.
func (u UUID) Time() Time {
	if u[6]>>4 != 7 {
		return 0
	}
	ms := uint64(u[0])<<40 | uint64(u[1])<<32 | uint64(u[2])<<24 | uint64(u[3])<<16 | uint64(u[4])<<8 | uint64(u[5])
	return Time(ms * 1000)
}

// NewID makes a UUIDv7. The IDs that one process makes ascend strictly, so that
// the order of IDs is the order of creation.
func NewID() UUID { return UUID(uuid.Must(uuid.NewV7())) }

// NameID is a stable id made from names: the same parts give the same id.
func NameID(parts ...string) (u UUID) {
	h := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return u
}
