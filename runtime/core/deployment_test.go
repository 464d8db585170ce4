package core_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestDeploymentPython(t *testing.T) {
	for text, want := range map[string]bool{
		"flows/a.py:f": true, "a.py:C.method": true, "pkg.module.flow": true, "A.PY:f": true,
		"flows/a.go:F": false, "bin/etl:F": false, "flow": false, "": false, "bin/etl.d": false,
	} {
		if got := (&core.Deployment{Entrypoint: &text}).Python(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
