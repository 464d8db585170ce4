//go:build linux

package account

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestLookup(t *testing.T) {
	if u, err := Lookup(""); u != nil || err != nil {
		t.Error("no name is the user of this process:", u, err)
	}
	if os.Geteuid() != 0 {
		if _, err := Lookup("nobody"); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "only root") {
			t.Error(err)
		}
		return
	}
	byName, err := Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	byID, err := Lookup("65534")
	if err != nil || byID.Name != byName.Name || byID.uid != byName.uid {
		t.Error("by ID:", byID, err)
	}
	for name, want := range map[string]string{"root": "pass another user", "0": "pass another user", "no such user": "useradd -r -m 'no such user'", "-1": "there is no system user"} {
		if u, err := Lookup(name); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", name, u, err, want)
		}
	}
}

func TestEnviron(t *testing.T) {
	env := []string{"PATH=/bin", "HOME=/root", "USER=root", "LOGNAME=root", "FLOWLITE_HOME=/root/x", "FLOWLITE_RUN_AS=u", "PREFECT_HOME=/root/p", "XDG_CACHE_HOME=/root/c", "XDGX=kept"}
	want := []string{"PATH=/bin", "XDGX=kept", "HOME=/home/u", "USER=u", "LOGNAME=u"}
	if got := (&User{Name: "u", Home: "/home/u"}).Environ(env); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (*User)(nil).Environ(env); !slices.Equal(got, env) {
		t.Errorf("without a user: %q", got)
	}
}

func TestStart(t *testing.T) {
	u := &User{uid: 7, gid: 8, groups: []uint32{9}}
	got := u.Start(&syscall.SysProcAttr{Setpgid: true})
	if !got.Setpgid || got.Credential.Uid != 7 || got.Credential.Gid != 8 || !slices.Equal(got.Credential.Groups, []uint32{9}) {
		t.Errorf("%+v", got)
	}
	if got := u.Start(nil); got == nil || got.Credential.Uid != 7 {
		t.Errorf("%+v", got)
	}
	if got := (*User)(nil).Start(nil); got != nil {
		t.Errorf("without a user: %+v", got)
	}
}

// Share opens the way to one file for the group, and no other file there.
func TestShare(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a")
	bin, other, outside := filepath.Join(dir, "bin"), filepath.Join(dir, "other"), filepath.Join(t.TempDir(), "file")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{bin: 0o700, other: 0o600, outside: 0o600} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	u := &User{Name: "u", uid: uint32(os.Getuid()), gid: uint32(os.Getgid())}
	for _, path := range []string{bin, outside} {
		if err := u.Share(root, path); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]os.FileMode{dir: 0o710, bin: 0o750, other: 0o600, outside: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, want %v", path, info.Mode().Perm(), want)
		}
	}
	if err := u.Share(root, filepath.Join(dir, "none")); core.CodeOf(err) != core.EUnavailable {
		t.Error("a file that is not there:", err)
	}
	if err := u.Give(dir); err != nil {
		t.Error(err)
	}
}

func TestExplain(t *testing.T) {
	u := &User{Name: "u"}
	denied := &fs.PathError{Op: "fork/exec", Path: "/x", Err: syscall.EACCES}
	if err := u.Explain(denied, "/dir", "/x"); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "may not start /x in /dir") {
		t.Error(err)
	}
	if err := u.Explain(fs.ErrNotExist, "/dir", "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := (*User)(nil).Explain(denied, "/dir", "/x"); !errors.Is(err, denied) {
		t.Error(err)
	}
}
