package dbtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// record is how the fields of one type of core are written and read.
type record[T any] struct {
	// given sets what must be valid: references, names of joined rows, enumerations.
	// Every other field gets a value of its own.
	given  func(v *T)
	insert map[string]func(tx core.Tx, v *T) error // by the method of core.Tx; each makes a record
	update map[string]change[T]                    // by the method of core.Tx
	read   map[string]func(r core.Reader, v *T) (*T, error)
	lock   func(tx core.Tx, v *T) (*T, error) // reads within a transaction, from the cache where there is one
	other  []string                           // fields that are not stored with the record
}

type change[T any] struct {
	write func(tx core.Tx, v *T) error
	keeps []string // fields that write leaves as they are; it writes all others
}

// fieldTests run the test of each record, and return which methods of core.Tx it called.
var fieldTests = map[string]func(s *suite) []string{}

// everyField fails for a field of a record that does not read back as it was
// written, by each way to write and to read it, and for a way without a test.
func everyField(s *suite) {
	tested := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(fieldTests)) {
		s.Run(name, func(t *testing.T) {
			one := *s
			one.T = t
			for _, method := range fieldTests[name](&one) {
				tested[method] = true
			}
		})
	}
	tx := reflect.TypeFor[core.Tx]()
	for m := range tx.Methods() {
		if !tested[m.Name] && writesRecord(m) {
			s.Errorf("%s writes a record and has no test of its fields; add it in dbtest/field_record.go", m.Name)
		}
	}
}

// writesRecord reports whether a method of core.Tx takes a record of core to store.
func writesRecord(m reflect.Method) bool {
	verbs := []string{"Insert", "Update", "Upsert", "Put", "Set", "Record", "Add"}
	if !slices.ContainsFunc(verbs, func(verb string) bool { return strings.HasPrefix(m.Name, verb) }) {
		return false
	}
	for in := range m.Type.Ins() {
		if in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if in.Kind() == reflect.Pointer && in.Elem().Kind() == reflect.Struct && strings.HasSuffix(in.Elem().PkgPath(), "/runtime/core") {
			return true
		}
	}
	return false
}

func (r record[T]) test(s *suite) (methods []string) {
	s.Helper()
	for _, name := range slices.Sorted(maps.Keys(r.insert)) {
		methods = append(methods, name)
		v := r.fresh(s)
		s.write(func(tx core.Tx) error {
			if err := r.insert[name](tx, v); err != nil {
				return err
			}
			r.compareLocked(s, name, tx, v)
			return nil
		})
		r.compare(s, name, v)
		for _, method := range slices.Sorted(maps.Keys(r.update)) {
			methods = append(methods, method)
			c, old, next := r.update[method], v, r.fresh(s)
			keep(next, old, append([]string{"ID"}, c.keeps...))
			written := *next
			s.write(func(tx core.Tx) error {
				r.compareLocked(s, "before "+method, tx, old) // and now it is cached
				written = *next
				if err := c.write(tx, &written); err != nil {
					return err
				}
				r.compareLocked(s, method, tx, &written)
				return nil
			})
			r.compare(s, method, &written)
			v = &written
		}
	}
	return methods
}

// fresh is a record whose every field has a value that no other has.
func (r record[T]) fresh(s *suite) *T {
	v := new(T)
	if r.given != nil {
		r.given(v)
	}
	x := reflect.ValueOf(v).Elem()
	for i := range x.NumField() {
		if f := x.Type().Field(i); x.Field(i).IsZero() && !slices.Contains(r.other, f.Name) {
			fill(s, x.Field(i))
		}
	}
	return v
}

// fill sets a value, and each field of a struct that is still zero.
func fill(s *suite, v reflect.Value) {
	s.filled++
	n := s.filled
	switch v.Interface().(type) {
	case core.UUID:
		v.Set(reflect.ValueOf(core.NewID()))
		return
	case core.Time:
		v.Set(reflect.ValueOf(s.now.Add(1e9) + core.Time(n)))
		return
	case core.JSON:
		v.Set(reflect.ValueOf(core.JSON(fmt.Sprintf(`{"n":%d}`, n))))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(s, v.Elem())
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.IsZero() {
				fill(s, field)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(s, v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(s, key)
		fill(s, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d", n))
	case reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Float64:
		v.SetFloat(float64(n) + 0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf(fmt.Sprintf("any-%d", n)))
	default:
		s.Fatalf("no value for a %s", v.Type())
	}
}

// keep copies fields, and turns the booleans that are not kept around: there are
// no more than two of them.
func keep[T any](next, old *T, fields []string) {
	n, o := reflect.ValueOf(next).Elem(), reflect.ValueOf(old).Elem()
	for i := range n.NumField() {
		switch f := n.Type().Field(i); {
		case slices.Contains(fields, f.Name):
			n.Field(i).Set(o.Field(i))
		case f.Type.Kind() == reflect.Bool:
			n.Field(i).SetBool(!o.Field(i).Bool())
		}
	}
}

// allBut are the fields of a record without one.
func allBut[T any](name string) (fields []string) {
	t := reflect.TypeFor[T]()
	for field := range t.Fields() {
		if field.Name != name {
			fields = append(fields, field.Name)
		}
	}
	return fields
}

func (r record[T]) compareLocked(s *suite, after string, tx core.Tx, want *T) {
	s.Helper()
	if r.lock == nil {
		return
	}
	for range 2 { // the second may come from a cache that the first filled
		got, err := r.lock(tx, want)
		if err != nil {
			s.Errorf("after %s: %v", after, err)
			return
		}
		r.same(s, after+", read within the transaction", got, want)
	}
}

func (r record[T]) compare(s *suite, after string, want *T) {
	s.Helper()
	for name, read := range r.read {
		got, err := read(s.Store, want)
		if err != nil {
			s.Errorf("after %s: %s: %v", after, name, err)
			continue
		}
		r.same(s, after+", read by "+name, got, want)
	}
}

func (r record[T]) same(s *suite, after string, got, want *T) {
	s.Helper()
	g, w := reflect.ValueOf(got).Elem(), reflect.ValueOf(want).Elem()
	for i := range g.NumField() {
		f := g.Type().Field(i)
		if slices.Contains(r.other, f.Name) {
			continue
		}
		a, b := asText(g.Field(i).Interface()), asText(w.Field(i).Interface())
		if a != b {
			s.Errorf("after %s: %s.%s is %s, want %s", after, g.Type().Name(), f.Name, a, b)
		}
	}
}

// asText is a value without the spaces that PostgreSQL writes into JSON.
func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// one is the only element of a list.
func one[T any](list []T, err error) (v T, _ error) {
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("%d records, want 1", len(list))
	}
	if err != nil {
		return v, err
	}
	return list[0], nil
}
