package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/core"
)

func unquote(v []byte) (s string) {
	_ = json.Unmarshal(v, &s)
	return s
}

func number(v []byte) bool { return v[0] == '-' || '0' <= v[0] && v[0] <= '9' }

func (w *wire) laxText(v []byte) ([]byte, *fault) {
	if v[0] != '"' {
		return v, &fault{"string_type", "Input should be a valid string"}
	}
	if w.Min == nil && w.Max == nil && w.pattern == nil {
		return v, nil
	}
	s := unquote(v)
	n := utf8.RuneCountInString(s)
	switch {
	case w.Max != nil && n > *w.Max:
		return v, &fault{"string_too_long", fmt.Sprintf("String should have at most %d character%s", *w.Max, plural(*w.Max))}
	case w.Min != nil && n < *w.Min:
		return v, &fault{"string_too_short", fmt.Sprintf("String should have at least %d character%s", *w.Min, plural(*w.Min))}
	case w.pattern != nil && !w.pattern.MatchString(s):
		return v, &fault{"string_pattern_mismatch", "String should match pattern '" + w.Pattern + "'"}
	}
	return v, nil
}

func (w *wire) laxNumber(v []byte, exact bool) ([]byte, *fault) {
	read := laxInt
	if w.Type == "float" {
		read = laxFloat
	}
	out, f := read(v, exact)
	if f != nil {
		return v, f
	}
	x, _ := strconv.ParseFloat(string(out), 64)
	return out, w.within(x)
}

var (
	intText    = regexp.MustCompile(`^[+-]?[0-9]+(_[0-9]+)*(\.0+)?$`)
	whiteSpace = " \t\n\r\v\f"
	intSize    = &fault{"int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size"}
)

// laxInt takes whole floats, numerals, and booleans, too.
func laxInt(v []byte, exact bool) ([]byte, *fault) {
	switch {
	case number(v) && !bytes.ContainsAny(v, ".eE"):
		if _, err := strconv.ParseInt(string(v), 10, 64); err != nil {
			return v, intSize
		}
		return v, nil
	case exact:
	case number(v):
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || f != math.Trunc(f) {
			return v, &fault{"int_from_float", "Input should be a valid integer, got a number with a fractional part"}
		}
		if math.Abs(f) >= 1<<63 {
			return v, intSize
		}
		return strconv.AppendInt(nil, int64(f), 10), nil
	case v[0] == '"':
		s := strings.Trim(unquote(v), whiteSpace)
		if !intText.MatchString(s) {
			return v, &fault{"int_parsing", "Input should be a valid integer, unable to parse string as an integer"}
		}
		s, _, _ = strings.Cut(strings.ReplaceAll(s, "_", ""), ".")
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return v, intSize
		}
		return strconv.AppendInt(nil, n, 10), nil
	case v[0] == 't':
		return []byte("1"), nil
	case v[0] == 'f':
		return []byte("0"), nil
	}
	return v, &fault{"int_type", "Input should be a valid integer"}
}

func laxFloat(v []byte, exact bool) ([]byte, *fault) {
	switch {
	case number(v):
		return v, nil
	case exact:
	case v[0] == '"':
		s := strings.Trim(unquote(v), whiteSpace)
		f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
		if err != nil || strings.ContainsAny(s, "xXpP") || strings.Contains(s, "__") || strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") {
			return v, &fault{"float_parsing", "Input should be a valid number, unable to parse string as a number"}
		}
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return v, &fault{"finite_number", "Input should be a finite number"}
		}
		return strconv.AppendFloat(nil, f, 'g', -1, 64), nil
	case v[0] == 't':
		return []byte("1"), nil
	case v[0] == 'f':
		return []byte("0"), nil
	}
	return v, &fault{"float_type", "Input should be a valid number"}
}

func laxBool(v []byte, exact bool) ([]byte, *fault) {
	var s string
	switch {
	case v[0] == 't' || v[0] == 'f':
		return v, nil
	case exact:
	case v[0] == '"':
		s = strings.ToLower(unquote(v))
	case number(v):
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || f != math.Trunc(f) {
			break
		}
		switch s = "neither"; f {
		case 0:
			s = "0"
		case 1:
			s = "1"
		}
	}
	switch s {
	case "0", "off", "f", "false", "n", "no":
		return []byte("false"), nil
	case "1", "on", "t", "true", "y", "yes":
		return []byte("true"), nil
	}
	if s != "" || v[0] == '"' && !exact {
		return v, &fault{"bool_parsing", "Input should be a valid boolean, unable to interpret input"}
	}
	return v, &fault{"bool_type", "Input should be a valid boolean"}
}

func laxUUID(v []byte) ([]byte, *fault) {
	if v[0] != '"' {
		return v, &fault{"uuid_type", "UUID input should be a string, bytes or UUID object"}
	}
	s := strings.TrimPrefix(unquote(v), "urn:uuid:")
	if len(s) == len("{00000000-0000-0000-0000-000000000000}") && s[0] == '{' && s[len(s)-1] == '}' {
		s = s[1 : len(s)-1]
	}
	id, err := core.ParseUUID(s)
	if err != nil {
		return v, &fault{"uuid_parsing", "Input should be a valid UUID: " + err.Error()}
	}
	return quote(id.String()), nil
}

func (w *wire) laxTime(v []byte) ([]byte, *fault) {
	t, f := laxTime(v)
	if f != nil && w.Type == "instant" {
		if v[0] == '"' {
			if t, ok := pendulumTime(unquote(v)); ok {
				return quote(isoTime(t)), nil
			}
		}
		return v, &fault{"value_error", "value is not a valid datetime"}
	}
	if f != nil {
		return v, f
	}
	return quote(isoTime(t)), nil
}

func isoTime(t time.Time) string { return t.Format("2006-01-02T15:04:05.999999Z07:00") }

var timeForm = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)(?:[Tt _](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?(?:([Zz])|([+\-−])(\d\d):?(\d\d))?)?$`)

// laxTime takes ISO 8601 with or without seconds and zone, a date alone, and seconds
// or milliseconds since the epoch, also as numerals.
func laxTime(v []byte) (time.Time, *fault) {
	if number(v) {
		return epochTime(string(v))
	}
	if v[0] != '"' {
		return time.Time{}, &fault{"datetime_type", "Input should be a valid datetime"}
	}
	s := unquote(v)
	if _, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "eExXnN_") {
		return epochTime(s)
	}
	m := timeForm.FindStringSubmatch(s)
	if m == nil || m[4] != "" && m[3] == "" {
		return time.Time{}, &fault{"datetime_from_date_parsing", "Input should be a valid datetime or date, input is too short or not ISO 8601"}
	}
	clock, seconds, zone := m[2], m[3], "Z"
	if clock == "" {
		clock = "00:00"
	}
	if seconds == "" {
		seconds = ":00"
	}
	if m[4] != "" {
		seconds += "." + m[4][:min(len(m[4]), 6)]
	}
	if m[6] != "" {
		sign := "-"
		if m[6] == "+" {
			sign = "+"
		}
		if m[7] > "23" || m[8] > "59" {
			return time.Time{}, &fault{"datetime_from_date_parsing", "Input should be a valid datetime or date, the offset must be less than 24 hours"}
		}
		zone = sign + m[7] + ":" + m[8]
	}
	t, err := time.Parse(time.RFC3339Nano, m[1]+"T"+clock+seconds+zone)
	if err == nil && t.Year() < 1 {
		return t, &fault{"datetime_parsing", "Input should be a valid datetime, year 0 is out of range"}
	}
	if err != nil {
		return t, &fault{"datetime_from_date_parsing", "Input should be a valid datetime or date, a part is out of range"}
	}
	return t, nil
}

// watershed is how pydantic tells milliseconds from seconds.
const watershed = 2e10

func epochTime(s string) (time.Time, *fault) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, &fault{"datetime_type", "Input should be a valid datetime"}
	}
	micros := f * 1e6
	if math.Abs(f) > watershed {
		micros = f * 1e3
	}
	if micros < firstMicro || micros >= endMicro {
		return time.Time{}, &fault{"datetime_parsing", "Input should be a valid datetime, dates before 1 or after 9999 are not supported"}
	}
	return time.UnixMicro(int64(math.Round(micros))).UTC(), nil
}

// The years 1 to 9999.
const (
	firstMicro = -62135596800e6
	endMicro   = 253402300800e6
)

var (
	pendulumLayouts = [...]string{
		"20060102T150405Z07:00", "20060102T150405Z0700", "20060102T150405", "20060102T1504", "20060102",
		"2006-01-02T15:04:05.999999999Z07", "2006-01-02T15", "2006-01",
	}
	weekDate = regexp.MustCompile(`^(\d{4})-?W(\d\d)(?:-?([1-7]))?$`)
)

// pendulumTime reads the forms that pendulum knows and pydantic does not: without
// dashes and colons, weeks of a year, a time of today, and now.
func pendulumTime(s string) (time.Time, bool) {
	for _, layout := range pendulumLayouts {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return t, true
		}
	}
	today := time.Now().UTC()
	if s == "now" {
		return today, true
	}
	for _, layout := range [...]string{time.TimeOnly, "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return time.Date(today.Year(), today.Month(), today.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), true
		}
	}
	if m := weekDate.FindStringSubmatch(s); m != nil {
		year, _ := strconv.Atoi(m[1])
		week, _ := strconv.Atoi(m[2])
		day, _ := strconv.Atoi(m[3])
		first := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC) // is in the first week
		monday := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
		return monday.AddDate(0, 0, (week-1)*7+max(day, 1)-1), year > 0 && week > 0 && week < 54
	}
	return time.Time{}, false
}

var (
	isoDuration = regexp.MustCompile(`^([+-]?)P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?` +
		`(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)
	clockDuration = regexp.MustCompile(`^([+-]?)(?:(\d+) ?[Dd](?:ays?)?,?(?: +|$))?(?:(\d\d):(\d\d)(?::(\d\d(?:\.\d{1,9})?))?)?$`)
	isoUnits      = [...]float64{365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1}
)

const maxSeconds = 999_999_999 * 86400.0 // of Python's timedelta

// laxDuration takes seconds, ISO 8601, and days and a clock.
func (w *wire) laxDuration(v []byte) ([]byte, *fault) {
	var total float64
	wrong := &fault{"time_delta_parsing", "Input should be a valid timedelta: write seconds or an ISO 8601 duration, like PT30S"}
	switch {
	case number(v):
		total, _ = strconv.ParseFloat(string(v), 64)
	case v[0] == '"':
		var ok bool
		if total, ok = durationText(unquote(v)); !ok {
			return v, wrong
		}
	case v[0] == 't':
		total = 1
	case v[0] == 'f':
	default:
		return v, &fault{"time_delta_type", "Input should be a valid timedelta"}
	}
	if math.Abs(total) > maxSeconds {
		return v, wrong
	}
	total = math.Round(total*1e6) / 1e6
	return strconv.AppendFloat(nil, total, 'f', -1, 64), w.within(total)
}

func durationText(s string) (total float64, ok bool) {
	var sign string
	if m := isoDuration.FindStringSubmatch(s); m != nil && len(strings.Trim(s, "+-PT")) > 0 {
		sign = m[1]
		for i, unit := range isoUnits {
			f, _ := strconv.ParseFloat(m[i+2], 64)
			total += f * unit
		}
	} else if m := clockDuration.FindStringSubmatch(s); m != nil && strings.Trim(s, "+-") != "" && m[4] < "60" && m[5] < "60" {
		sign = m[1]
		for i, unit := range isoUnits[3:] {
			f, _ := strconv.ParseFloat(m[i+2], 64)
			total += f * unit
		}
	} else {
		return 0, false
	}
	if sign == "-" {
		total = -total
	}
	return total, true
}
