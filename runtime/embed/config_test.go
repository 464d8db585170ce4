package embed

import (
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus/redisbus"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/server"
	"github.com/flowlite/flowlite/runtime/template"
)

// meter is one that nobody asks.
type meter struct{ server.Meter }

// fill sets every field of a struct to something that is not its zero value.
func fill(v reflect.Value) {
	for _, field := range v.Fields() {
		switch f := field; f.Interface().(type) {
		case string:
			f.SetString("x")
		case []string:
			f.Set(reflect.ValueOf([]string{"x"}))
		case int:
			f.SetInt(1)
		case bool:
			f.SetBool(true)
		case time.Duration:
			f.SetInt(int64(time.Hour))
		case *slog.Logger:
			f.Set(reflect.ValueOf(slog.Default()))
		default:
			switch f.Type() {
			case reflect.TypeFor[server.Meter]():
				f.Set(reflect.ValueOf(meter{}))
				continue
			case reflect.TypeFor[server.Redis]():
				f.Set(reflect.ValueOf(redisbus.At("redis://x")))
				continue
			case reflect.TypeFor[template.Engine]():
				f.Set(reflect.ValueOf(template.None{}))
				continue
			case reflect.TypeFor[notify.Sender]():
				f.Set(reflect.ValueOf(notify.NoSender{}))
				continue
			}
			if f.Kind() == reflect.Pointer {
				continue
			}
			if f.Kind() == reflect.Func {
				f.Set(reflect.ValueOf(func(*http.Request) (string, bool) { return "", false }))
				continue
			}
			fill(f)
		}
	}
}

// Every field of Config reaches the server, and every setting of the server can
// be made, but those that New makes or that are for other kinds of processes.
func TestConfigCoversTheServer(t *testing.T) {
	var c Config
	fill(reflect.ValueOf(&c).Elem())
	got := reflect.ValueOf(c.server())
	others := []string{"Postgres", "FlowsDir", "OnFlows", "NoAPI", "InProcess", "Flows", "CancelCause", "LostCause"}
	for i := range got.NumField() {
		name := got.Type().Field(i).Name
		if got.Field(i).IsZero() != slices.Contains(others, name) {
			t.Errorf("%s of the server is %v", name, got.Field(i))
		}
	}
	ofDatabase := []string{"Pool", "DB", "Schema", "Prune"} // not of the server
	for i := range reflect.TypeFor[Config]().NumField() {
		if slices.Contains(ofDatabase, reflect.TypeFor[Config]().Field(i).Name) {
			continue
		}
		var one Config
		v := reflect.ValueOf(&one).Elem()
		f := v.Field(i)
		f.Set(reflect.ValueOf(c).Field(i))
		if reflect.DeepEqual(one.server(), Config{}.server()) {
			t.Errorf("%s changes nothing", v.Type().Field(i).Name)
		}
	}
}
