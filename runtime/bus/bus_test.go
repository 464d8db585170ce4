package bus_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/bus/bustest"
)

func TestBus(t *testing.T)      { bustest.Bus(t) }
func TestLiveness(t *testing.T) { bustest.Liveness(t) }
