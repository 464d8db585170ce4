package core

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// UUID is a BLOB(16) in SQLite and a UUID in Postgres. The zero value is NULL.
type UUID [16]byte

func (u UUID) IsZero() bool { return u == UUID{} }

func (u UUID) String() string {
	var b [36]byte
	u.encode(b[:])
	return string(b[:])
}

func (u UUID) encode(b []byte) {
	hex.Encode(b[:8], u[:4])
	b[8] = '-'
	hex.Encode(b[9:13], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], u[10:])
}

// ParseUUID accepts the hyphenated form and the bare 32 hex digits.
func ParseUUID(s string) (u UUID, err error) {
	switch {
	case len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-':
		s = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	case len(s) == 32:
	default:
		return u, fmt.Errorf("%q is not a UUID", s)
	}
	if _, err = hex.Decode(u[:], []byte(s)); err != nil {
		return UUID{}, fmt.Errorf("%q is not a UUID", s)
	}
	return u, nil
}

func (u UUID) MarshalJSON() ([]byte, error) {
	if u.IsZero() {
		return []byte("null"), nil
	}
	b := make([]byte, 38)
	b[0], b[37] = '"', '"'
	u.encode(b[1:37])
	return b, nil
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

// UUIDValue and ScanUUID are what pgx looks for before Value and Scan.
func (u UUID) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Bytes: u, Valid: !u.IsZero()}, nil }

func (u *UUID) ScanUUID(v pgtype.UUID) error {
	*u = UUID{}
	if v.Valid {
		*u = v.Bytes
	}
	return nil
}

// Time is the moment a version 7 id was made; zero for any other id.
func (u UUID) Time() Time {
	if u[6]>>4 != 7 {
		return 0
	}
	ms := uint64(u[0])<<40 | uint64(u[1])<<32 | uint64(u[2])<<24 | uint64(u[3])<<16 | uint64(u[4])<<8 | uint64(u[5])
	return Time(ms * 1000)
}

var ids struct {
	sync.Mutex
	ms  uint64
	seq uint64 // 42 bits below the version: counts up within one millisecond
}

// NewID makes a UUIDv7. Ids made by one process ascend strictly, so that
// ordering by id is ordering by creation.
func NewID() UUID {
	var u UUID
	var r [10]byte
	_, _ = rand.Read(r[:])
	ms := uint64(time.Now().UnixMilli())
	ids.Lock()
	if ms > ids.ms {
		ids.ms, ids.seq = ms, uint64(binary.BigEndian.Uint32(r[:4]))
	} else {
		ms = ids.ms
		ids.seq += 1 + uint64(r[0])
	}
	seq := ids.seq
	ids.Unlock()
	u[0], u[1], u[2], u[3], u[4], u[5] = byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms)
	u[6] = 0x70 | byte(seq>>38)&0x0f
	u[7] = byte(seq >> 30)
	u[8] = 0x80 | byte(seq>>24)&0x3f
	u[9], u[10], u[11] = byte(seq>>16), byte(seq>>8), byte(seq)
	copy(u[12:], r[6:10])
	return u
}

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
