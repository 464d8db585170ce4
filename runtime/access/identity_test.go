package access

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// knows names the person of a header.
func knows(r *http.Request) (string, bool) {
	name := r.Header.Get("X-Session")
	return name, name != ""
}

// With an Identity, the password still cannot be guessed: after too many wrong
// guesses from an address, a right one gets the same answer.
func TestGuessesBesideIdentity(t *testing.T) {
	g := New(Config{AuthString: "admin:right", Identity: knows, Log: slog.New(slog.DiscardHandler)})
	now := time.Now()
	g.guesses.now = func() time.Time { return now }
	for range 1000 {
		if check(g, asker("10.0.0.1:9", "", "admin:guess")) == nil {
			t.Fatal("a guess is right")
		}
	}
	if err := check(g, asker("10.0.0.1:9", "", "admin:right")); core.CodeOf(err) != core.ETooMany {
		t.Errorf("after 1,000 guesses: %v", err)
	}
	if err := check(g, asker("10.0.0.2:9", "", "admin:right")); err != nil {
		t.Errorf("the password from another address: %v", err)
	}
	known := asker("10.0.0.1:9", "", "admin:guess") // a program may have headers of its own
	known.Header.Set("X-Session", "Ada")
	if c, err := g.Request(known); err != nil || c.Name != "Ada" {
		t.Error(c, err)
	}
}

// What a flow run sends is never taken for a person, however generous Identity is.
func TestRunsAreNoPersons(t *testing.T) {
	key := NewRunKey([]byte("0123456789abcdef0123456789abcdef"), "admin:right")
	run, lease := core.NewID(), core.NewID()
	g := New(Config{Identity: func(*http.Request) (string, bool) { return "everybody", true }, Runs: key,
		HasRun: func(context.Context, core.UUID, core.UUID) (bool, error) { return true, nil }, Log: slog.New(slog.DiscardHandler)})
	r := asker("127.0.0.1:9", "", key.AuthString(run, lease))
	if c, err := g.Request(r); err != nil || c.Run != run || c.Name != "" {
		t.Error(c, err)
	}
	if c, err := g.Request(asker("127.0.0.1:9", "", "x:y")); err != nil || c.Name != "everybody" {
		t.Error(c, err)
	}
}
