package seal_test

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/seal"
)

var oldKey, newKey = []byte(strings.Repeat("o", 32)), []byte(strings.Repeat("n", 32))

func ring(t *testing.T, text string) *seal.Ring {
	t.Helper()
	r, err := seal.Parse("the test", text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRing(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	before := ring(t, "# a comment\n"+b64(oldKey))
	during := ring(t, b64(newKey)+","+hex.EncodeToString(oldKey))
	after := ring(t, base64.RawURLEncoding.EncodeToString(newKey))
	id, other := core.NewID(), core.NewID()
	sealed, err := before.Seal(id, []byte("hush"))
	if err != nil || strings.Contains(sealed, "hush") || !strings.HasPrefix(sealed, before.Prefix()) {
		t.Fatal(sealed, err)
	}
	if again, _ := before.Seal(id, []byte("hush")); again == sealed {
		t.Fatal("the same text was sealed in the same way twice")
	}
	fresh, _ := during.Seal(id, []byte("new"))
	changed := sealed[:len(sealed)-2] + "xy"
	for _, c := range []struct {
		name string
		ring *seal.Ring
		id   core.UUID
		text string
		want string // empty: an error
		says string
	}{
		{"its key", before, id, sealed, "hush", ""},
		{"a later key of the ring", during, id, sealed, "hush", ""},
		{"the new key", after, id, fresh, "new", ""},
		{"the old key is gone", after, id, sealed, "", "not in the test; put that key back"},
		{"the new key is not there yet", before, id, fresh, "", "not in the test"},
		{"moved to another document", before, other, sealed, "", "changed outside"},
		{"changed", before, id, changed, "", "changed outside"},
		{"cut", before, id, before.Prefix() + "AA", "", "changed outside"},
		{"another format", before, id, "2:x:y", "", "newer"},
		{"not sealed", before, id, `{"value":"x"}`, "", "newer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, err := c.ring.Open(c.id, c.text)
			if string(plain) != c.want || (err == nil) != (c.want != "") {
				t.Fatalf("%q, %v", plain, err)
			}
			if err != nil && (core.CodeOf(err) != core.EConflict || !strings.Contains(err.Error(), c.says)) {
				t.Fatalf("%v", err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "password", "c2hvcnQ=", strings.Repeat("a", 62)} {
		if _, err := seal.Parse("FLOWLITE_ENCRYPTION_KEY", text); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "openssl rand -base64 32") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "encryption.key")
	prefixes := make([]string, 8)
	var wg sync.WaitGroup
	for i := range prefixes {
		wg.Go(func() {
			r, err := seal.File(path)
			if err != nil {
				t.Error(err)
				return
			}
			prefixes[i] = r.Prefix()
		})
	}
	wg.Wait()
	for _, p := range prefixes {
		if p != prefixes[0] || p == "" {
			t.Fatal("processes that start together have different keys", prefixes)
		}
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) > 0 {
		t.Fatal(left)
	}
}
