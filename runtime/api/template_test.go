package api

import (
	"net/http"
	"testing"
)

func TestValidateTemplate(t *testing.T) {
	w := newWorld(t, "sqlite::memory:")
	for _, path := range []string{"/templates/validate", "/automations/templates/validate"} {
		if status, _, body := w.send("POST", path, `"{{ flow_run.name }}"`); status != http.StatusNoContent || len(body) > 0 {
			t.Errorf("a good template: %d %s", status, body)
		}
		if status, _, body := w.send("POST", path, ""); status != http.StatusNoContent {
			t.Errorf("no template: %d %s", status, body)
		}
		bad := w.do(http.StatusUnprocessableEntity, "POST", path, `"one\n{% if x %}"`)
		equal(t, "line", at(bad, "error", "line"), 2.0)
		equal(t, "source", at(bad, "error", "source"), "one\n{% if x %}")
		if at(bad, "error", "message") == "" {
			t.Error("a bad template without a message")
		}
	}
}
