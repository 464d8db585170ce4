package deployment_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestMain(m *testing.M) { uitest.Main(m) }
