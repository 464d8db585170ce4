package access

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestRunKey(t *testing.T) {
	run, lease := core.NewID(), core.NewID()
	k := NewRunKey([]byte("secret"), "admin:word")
	auth := k.AuthString(run, lease)
	if user, password, _ := strings.Cut(auth, ":"); user != "run" || !strings.HasPrefix(password, "flr_") || k.AuthString(run, lease) != auth {
		t.Errorf("auth string %q", auth)
	}
	for _, text := range []string{auth, strings.TrimPrefix(auth, "run:")} {
		if c, ok := k.caller(text); !ok || c.Run != run || c.Lease != lease || !c.IsRun() {
			t.Errorf("%q is read as %+v, %v", text, c, ok)
		}
	}
	for what, other := range map[string]*RunKey{
		"another secret": NewRunKey([]byte("other"), "admin:word"), "another auth string": NewRunKey([]byte("secret"), "admin:words"), "none": NewRunKey([]byte("secret"), ""),
	} {
		if _, ok := other.caller(auth); ok {
			t.Errorf("%s: the auth string is good", what)
		}
	}
	for i := range auth { // a changed character, and a shorter text
		other := byte('0')
		if auth[i] == other {
			other = '1'
		}
		if _, ok := k.caller(auth[:i] + string(other) + auth[i+1:]); ok {
			t.Errorf("the auth string is good with %q at %d", other, i)
		}
		if _, ok := k.caller(auth[:i]); ok {
			t.Errorf("the first %d characters are good", i)
		}
	}
	if s := (*RunKey)(nil).AuthString(run, lease); s != "" {
		t.Errorf("a server without credentials gives %q", s)
	}
	for _, shown := range []string{auth, base64.StdEncoding.EncodeToString([]byte(auth)), strings.TrimPrefix(auth, "run:")} {
		line := core.MaskRunAuth("before " + shown + `", after`)
		if !strings.HasPrefix(line, "before ") || !strings.HasSuffix(line, core.MaskedSecret+`", after`) || len(line) > 40 {
			t.Errorf("%q is masked as %q", shown, line)
		}
	}
}

func TestGuardOfRuns(t *testing.T) {
	run, lease, key := core.NewID(), core.NewID(), NewRunKey([]byte("secret"), "admin:word")
	now, asked, has, failed := time.Now(), 0, true, error(nil)
	g := New(Config{AuthString: "admin:word", Runs: key, Log: slog.New(slog.DiscardHandler), HasRun: func(_ context.Context, r, l core.UUID) (bool, error) {
		if r != run || l != lease {
			t.Errorf("asked for run %s with lease %s", r, l)
		}
		asked++
		return has, failed
	}})
	g.runs.now = func() time.Time { return now }
	request := func(scheme string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		auth := key.AuthString(run, lease)
		if scheme == "Basic" {
			auth = base64.StdEncoding.EncodeToString([]byte(auth))
		}
		r.Header.Set("Authorization", scheme+" "+auth)
		return r
	}
	for _, scheme := range []string{"Basic", "Bearer"} {
		if c, err := g.Request(request(scheme)); err != nil || c.Run != run {
			t.Errorf("%s: %+v, %v", scheme, c, err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times within a moment", asked)
	}
	now, failed = now.Add(heldFor), errors.New("the database is away")
	if _, err := g.Request(request("Basic")); err == nil || core.CodeOf(err) == core.EUnauth {
		t.Errorf("while the database is away: %v", err)
	}
	has, failed = false, nil
	for range 3 * burst { // the process of a run that has ended guesses nothing
		if _, err := g.Request(request("Basic")); core.CodeOf(err) != core.EUnauth {
			t.Fatalf("an ended run: %v", err)
		}
	}
	if err := g.Check(t.Context(), Caller{Run: run, Lease: lease}); core.CodeOf(err) != core.EUnauth {
		t.Errorf("a connection of an ended run: %v", err)
	}
	owner := httptest.NewRequest("GET", "/", nil)
	owner.SetBasicAuth("admin", "word")
	if c, err := g.Request(owner); err != nil || c.IsRun() || g.Check(t.Context(), c) != nil {
		t.Errorf("the owner: %+v, %v", c, err)
	}
}
