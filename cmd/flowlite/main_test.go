package main

import (
	"os"
	"strings"
	"testing"
)

// TestMain takes the person's own settings and profiles away from the tests.
func TestMain(m *testing.M) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "FLOWLITE_") && !strings.HasPrefix(name, "FLOWLITE_TEST_") {
			_ = os.Unsetenv(name)
		}
	}
	home, err := os.MkdirTemp("", "flowlite-home-")
	if err != nil {
		panic(err)
	}
	built, err := os.MkdirTemp("", "flowlite-bin-") // apart: some run it as another user
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("FLOWLITE_HOME", home)
	_ = os.Setenv("FLOWLITE_TEST_BIN", built)
	code := m.Run()
	_ = os.RemoveAll(home)
	_ = os.RemoveAll(built)
	os.Exit(code)
}
