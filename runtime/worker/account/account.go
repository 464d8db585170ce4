// Package account starts processes as another system user.
package account

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// User is a system user that flows run as. A nil User is that of this process.
type User struct {
	Name   string
	Home   string
	uid    uint32
	gid    uint32
	groups []uint32
}

// Lookup finds the system user of a name or numeric ID. It returns nil for an empty
// name, and EInvalid if there is no such user or this process may not become it.
func Lookup(name string) (*User, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // the user of this process
	}
	if runtime.GOOS != "linux" {
		return nil, core.Errorf(core.EInvalid, "flows can run as another user on Linux only; name no user for them")
	}
	if os.Geteuid() != 0 {
		return nil, core.Errorf(core.EInvalid, "only root can run flows as the user %s; start this process as root, or name no user for flows",
			core.HideURL(name))
	}
	found, err := user.Lookup(name)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		found, err = user.LookupId(name)
	}
	if err != nil {
		name = core.HideURL(name) // someone may have put an address here
		return nil, core.Errorf(core.EInvalid, "there is no system user %q to run flows as; create it: useradd -r -m %s",
			name, core.ShellWord(name))
	}
	u := &User{Name: found.Username, Home: found.HomeDir}
	if u.uid, err = number(found.Uid); err == nil {
		u.gid, err = number(found.Gid)
	}
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "system user %s: %w", u.Name, err)
	}
	if u.uid == 0 {
		return nil, core.Errorf(core.EInvalid, "flows cannot be kept from root's files as the user %s; pass another user", u.Name)
	}
	ids, err := found.GroupIds()
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "groups of the system user %s: %w", u.Name, err)
	}
	for _, id := range ids {
		if n, err := number(id); err == nil {
			u.groups = append(u.groups, n)
		}
	}
	return u, nil
}

func number(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err
}

// Cache is where built flows are stored for a user: the data directory of the
// server is closed to it. The directory above is made if it is not there.
func (u *User) Cache() (string, error) {
	const above = "/var/cache/flowlite"
	err := os.MkdirAll(above, 0o711)
	if err == nil {
		err = os.Chmod(above, 0o711) // users reach their own directory and list no others
	}
	if err != nil {
		return "", core.Errorf(core.EUnavailable, "cannot make a directory for the built flows of the user %s: %w", u.Name, err)
	}
	return filepath.Join(above, u.Name), nil
}

// Share lets the user's group read the file path, and execute it if its owner can,
// where it is below root. It gives no access to other files there.
func (u *User) Share(root, path string) error {
	if u == nil {
		return nil
	}
	if below, err := filepath.Rel(root, path); err != nil || !filepath.IsLocal(below) {
		return nil //nolint:nilerr // its owner decides
	}
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			return core.Errorf(core.EUnavailable, "%w", err)
		}
		mode := info.Mode().Perm()
		if info.IsDir() {
			mode |= 0o010
		} else {
			mode |= mode & 0o500 >> 3
		}
		if err := errors.Join(os.Lchown(at, -1, int(u.gid)), os.Chmod(at, mode)); err != nil {
			return core.Errorf(core.EUnavailable, "cannot let the user %s execute %s: %w", u.Name, path, err)
		}
		if at == root {
			return nil
		}
	}
}

// Give makes the user the owner of a new directory.
func (u *User) Give(dir string) error {
	if u == nil {
		return nil
	}
	return os.Lchown(dir, int(u.uid), int(u.gid))
}

// Environ returns env for a process of the user: with its home, and without what
// names directories of the user of this process.
func (u *User) Environ(env []string) []string {
	if u == nil {
		return env
	}
	var kept []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case name == "HOME",
			name == "USER",
			name == "LOGNAME",
			name == "FLOWLITE_HOME",
			name == "FLOWLITE_RUN_AS",
			name == "PREFECT_HOME",
			strings.HasPrefix(name, "XDG_"):
		default:
			kept = append(kept, kv)
		}
	}
	return append(kept, "HOME="+u.Home, "USER="+u.Name, "LOGNAME="+u.Name)
}

// Explain adds to a start that was not permitted what the user needs. Other errors
// it returns as they are.
func (u *User) Explain(err error, dir, program string) error {
	if u == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return core.Errorf(
		core.EInvalid,
		"the user %s of flows may not start %s in %s; let it execute the program, and read and enter the directory and those above it",
		u.Name,
		program,
		dir,
	)
}
