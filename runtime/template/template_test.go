package template_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/template"
)

// A program without an Engine takes plain texts, and says of others what it lacks.
func TestNone(t *testing.T) {
	n := template.None{}
	if out, err := n.Render("all is well", nil); out != "all is well" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	_, err := n.Render("{{ flow_run.name }}", nil)
	for _, err := range []error{err, n.Validate("{{ flow_run.name }}")} {
		if bad, ok := errors.AsType[*template.Error](err); !ok || !strings.Contains(bad.Message, "has no Templates") {
			t.Errorf("%v", err)
		}
	}
}
