package pgconfig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// RegisterTypes lets conn read and write core.UUID as uuid and core.Time as
// timestamptz. Their zero values are NULL.
func RegisterTypes(conn *pgx.Conn) { register(conn.TypeMap()) }

func register(m *pgtype.Map) {
	for _, t := range []struct {
		name       string
		oid, array uint32
		codec      pgtype.Codec
	}{
		{"uuid", pgtype.UUIDOID, pgtype.UUIDArrayOID, uuidCodec{}},
		{"timestamptz", pgtype.TimestamptzOID, pgtype.TimestamptzArrayOID, timeCodec{&pgtype.TimestamptzCodec{}}},
	} {
		element := &pgtype.Type{Name: t.name, OID: t.oid, Codec: t.codec}
		m.RegisterType(element)
		m.RegisterType(&pgtype.Type{Name: "_" + t.name, OID: t.array, Codec: &pgtype.ArrayCodec{ElementType: element}})
	}
}

// uuidCodec adds core.UUID to what pgx knows of uuid.
type uuidCodec struct{ pgtype.UUIDCodec }

func (c uuidCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	_, ours := value.(core.UUID)
	switch {
	case ours && format == pgtype.BinaryFormatCode:
		return encoder[core.UUID](encodeUUID)
	case ours:
		plan := c.UUIDCodec.PlanEncode(m, oid, format, pgtype.UUID{})
		return encoder[core.UUID](func(u core.UUID, buf []byte) ([]byte, error) {
			return plan.Encode(pgtype.UUID{Bytes: u, Valid: !u.IsZero()}, buf)
		})
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, value)
}

func (c uuidCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	_, ours := target.(*core.UUID)
	switch {
	case ours && format == pgtype.BinaryFormatCode:
		return decoder[core.UUID](decodeUUID)
	case ours:
		plan := c.UUIDCodec.PlanScan(m, oid, format, &pgtype.UUID{})
		return decoder[core.UUID](func(src []byte, u *core.UUID) error {
			var v pgtype.UUID
			err := plan.Scan(src, &v)
			*u = v.Bytes
			return err
		})
	}
	return c.UUIDCodec.PlanScan(m, oid, format, target)
}

func encodeUUID(u core.UUID, buf []byte) ([]byte, error) {
	if u.IsZero() {
		return nil, nil
	}
	return append(buf, u[:]...), nil
}

func decodeUUID(src []byte, u *core.UUID) error {
	*u = core.UUID{}
	if src == nil {
		return nil
	}
	if len(src) != len(u) {
		return fmt.Errorf("a uuid has %d bytes, want %d", len(src), len(u))
	}
	copy(u[:], src)
	return nil
}

// timeCodec adds core.Time to what pgx knows of timestamptz.
type timeCodec struct{ *pgtype.TimestamptzCodec }

func (c timeCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	_, ours := value.(core.Time)
	switch {
	case ours && format == pgtype.BinaryFormatCode:
		return encoder[core.Time](encodeTime)
	case ours:
		plan := c.TimestamptzCodec.PlanEncode(m, oid, format, pgtype.Timestamptz{})
		return encoder[core.Time](func(t core.Time, buf []byte) ([]byte, error) {
			return plan.Encode(pgtype.Timestamptz{Time: t.Time(), Valid: t != 0}, buf)
		})
	}
	return c.TimestamptzCodec.PlanEncode(m, oid, format, value)
}

func (c timeCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	_, ours := target.(*core.Time)
	switch {
	case ours && format == pgtype.BinaryFormatCode:
		return decoder[core.Time](decodeTime)
	case ours:
		plan := c.TimestamptzCodec.PlanScan(m, oid, format, &pgtype.Timestamptz{})
		return decoder[core.Time](func(src []byte, t *core.Time) error {
			var v pgtype.Timestamptz
			err := plan.Scan(src, &v)
			*t = core.TimeFrom(v.Time)
			return err
		})
	}
	return c.TimestamptzCodec.PlanScan(m, oid, format, target)
}

// epoch is where PostgreSQL counts microseconds from.
var epoch = core.TimeFrom(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))

func encodeTime(t core.Time, buf []byte) ([]byte, error) {
	if t == 0 {
		return nil, nil
	}
	return binary.BigEndian.AppendUint64(buf, uint64(t-epoch)), nil
}

func decodeTime(src []byte, t *core.Time) error {
	*t = 0
	if src == nil {
		return nil
	}
	if len(src) != 8 {
		return fmt.Errorf("a timestamptz has %d bytes, want 8", len(src))
	}
	v := int64(binary.BigEndian.Uint64(src))
	if v == math.MaxInt64 || v == math.MinInt64 {
		return errors.New("an infinite timestamptz is no core.Time")
	}
	*t = core.Time(v) + epoch
	return nil
}

type encoder[T any] func(v T, buf []byte) ([]byte, error)

func (f encoder[T]) Encode(value any, buf []byte) ([]byte, error) { return f(value.(T), buf) }

type decoder[T any] func(src []byte, v *T) error

func (f decoder[T]) Scan(src []byte, target any) error { return f(src, target.(*T)) }
