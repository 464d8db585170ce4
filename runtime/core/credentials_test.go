package core_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestHideCredentials(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"no server answers at http://127.0.0.1:4200/api", "no server answers at http://127.0.0.1:4200/api"},
		{"mail to a@example.com, see https://example.com/x", "mail to a@example.com, see https://example.com/x"},
		{"dial redis://:pw@h:1/0 failed", "dial redis://********@h:1/0 failed"},
		{"dial https://token@h failed", "dial https://********@h failed"},
		{"http://u:p/w@h", "http://********@h"},
		{"http://u:p@w@h", "http://********@h"},
		{`parse "redis://:p w@h": failed`, `parse "redis://********@h": failed`},
		{"postgres://h/d?user=u&password=pw&sslmode=off", "postgres://h/d?user=u&password=********&sslmode=off"},
		{"host=h password='p w' port=1", "host=h password=******** port=1"},
	} {
		if got := core.HideCredentials(c.text); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
	for raw, want := range map[string]string{
		"http://h/api": "http://h/api", "http://h/x@y": "http://h/x@y", "redis://u:p w@h": "redis://********@h", "sqlite:/a@b": "sqlite:/a@b",
	} {
		if got := core.HideURL(raw); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}

func TestURLFaultQuotesNoPassword(t *testing.T) {
	for _, raw := range []string{"redis://:hunter2/x@h", "redis://:hunter2 x@h", "redis://u:hunter2%zz@h", "redis://u:hunter2\x7f@h", "redis://u:x@[hunter2@h"} {
		_, err := url.Parse(raw)
		if err == nil {
			t.Fatalf("%q can be read", raw)
		}
		if text := core.URLFault(raw, err); strings.Contains(text, "hunter2") || text == "" {
			t.Errorf("%q: %s", raw, text)
		}
	}
}
