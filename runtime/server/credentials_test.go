package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus/redisbus"
)

// leaky are addresses with a password, most of which cannot be read as a URL:
// parsers quote the part at which they stop.
var leaky = []string{
	"postgres://u:hunter2@127.0.0.1:1/x",
	"postgres://127.0.0.1:1/x?user=u&password=hunter2",
	"postgres://127.0.0.1:1/x?user=u&password=hunter2&sslmode=none",
	"postgres://u:hunter2%zz@127.0.0.1:1/x",
	"postgres://u:hunter2/x@127.0.0.1:1/x",
	"postgresql+asyncpg://u:hunter2@127.0.0.1:1/x",
	"redis://:hunter2/x@127.0.0.1:1",
	"redis://:hunter2 x@127.0.0.1:1",
	"redis://:hunter2@127.0.0.1:1/none",
	"redis://:hunter2@127.0.0.1:port",
	"https://hunter2@127.0.0.1",
	"https://u:x@hunter2@127.0.0.1",
	"https://u:hunter2@127.0.0.1/ x",
}

// TestNoCredentialsInErrors gives each text of the configuration an address with
// a password: no error, log line or page repeats it.
func TestNoCredentialsInErrors(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	paths := map[string]bool{"Home": true, "FlowsDir": true, "WorkDir": true, "Python": true, "Version": true}
	fields, refused := 0, 0
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		text, list, redis := f.Type.Kind() == reflect.String, f.Type == reflect.TypeFor[[]string](), f.Type == reflect.TypeFor[Redis]()
		if !text && !list && !redis || paths[f.Name] {
			continue
		}
		fields++
		for _, url := range leaky {
			cfg := testConfig(t)
			log := &bytes.Buffer{}
			cfg.Log = slog.New(slog.NewJSONHandler(log, nil))
			switch v := reflect.ValueOf(&cfg).Elem().FieldByIndex(f.Index); {
			case text:
				v.SetString(url)
			case list:
				v.Set(reflect.ValueOf([]string{url}))
			default:
				cfg.DatabaseURL, cfg.Redis = "postgres://127.0.0.1:1/x", redisbus.At(url)
			}
			err := settingsOf(t, cfg, log)
			if err != nil {
				refused++
				log.WriteString(err.Error())
			}
			if strings.Contains(log.String(), "hunter2") {
				t.Errorf("%s = %s: %s", f.Name, url, log)
			}
		}
	}
	if fields < 8 || refused < 3*len(leaky) {
		t.Errorf("%d fields, %d addresses refused", fields, refused)
	}
}

// settingsOf starts a server, if it can be, and writes its settings page.
func settingsOf(t *testing.T, cfg Config, page *bytes.Buffer) error {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/settings", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, err = page.ReadFrom(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return s.Stop(ctx)
}
