package main_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEveryFileIsPrivate: whatever commands store, and whatever earlier versions
// left open, is closed to other users, also under a umask that hides nothing.
func TestEveryFileIsPrivate(t *testing.T) {
	old := syscall.Umask(0)
	t.Cleanup(func() { syscall.Umask(old) })
	base := t.TempDir()
	home, dir, outside := filepath.Join(base, "home"), filepath.Join(base, "project"), filepath.Join(base, "shared.key")
	leave := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"profiles.yaml", "server.log", "server-1.json", "flowlite.db", "flowlite.db.lock", "results/run/old-1.json", "results/run/deep/old-2.json", "cache/bin/x/flow"} {
		leave(filepath.Join(home, name), "", 0o777)
	}
	leave(outside, strings.Repeat("A", 43)+"=\n", 0o644)
	if err := os.Symlink(outside, filepath.Join(home, "encryption.key")); err != nil {
		t.Fatal(err)
	}
	open := func(under string) (all []string) {
		t.Helper()
		err := filepath.WalkDir(under, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // deleted meanwhile
			}
			if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
				all = append(all, path+" "+info.Mode().String())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	p := newProgram(t, home)
	p.says(".", 0, "flows/hello.go", "init", dir)
	p.cmd = exec.Command(p.args[0], "up")
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, p.env, &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(syscall.SIGTERM) })
	p.eventually(2*time.Minute, "the flow of the project is deployed", func() bool {
		var n int64
		return p.call("POST", "/deployments/count", map[string]any{}, &n) == nil && n == 1
	})
	p.says(dir, 0, "", "deployment", "run", "hello/local", "--watch", "--param", "name="+strings.Repeat("x", 70<<10))
	if results, _ := filepath.Glob(filepath.Join(home, "results", "*", "*.json")); len(results) < 2 {
		t.Errorf("the run stored no result: %v", results)
	}
	p.says(dir, 0, "", "config", "set", "FLOWLITE_AUTH_STRING=a:b")
	p.eventually(10*time.Second, "no file is open to others", func() bool { return len(open(home)) == 0 })
	p.says(dir, 0, "", "config", "unset", "FLOWLITE_AUTH_STRING")
	backup := filepath.Join(base, "backup.db")
	p.says(dir, 0, "Wrote", "db", "backup", backup)
	p.kill(syscall.SIGTERM)
	if all := append(open(home), open(backup)...); len(all) > 0 {
		t.Errorf("open to others: %v", all)
	}
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the target of a link has mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(home, 0o777); err != nil {
		t.Fatal(err)
	}
	p.says(dir, 0, "Restored", "db", "restore", backup, "--yes")
	fresh := filepath.Join(base, "fresh")
	p.env = append(p.env, "FLOWLITE_HOME="+fresh)
	p.says(dir, 0, "Restored", "db", "restore", backup, "--yes")
	p.says(dir, 0, "", "db", "upgrade")
	for _, made := range []string{home, fresh} {
		if all := open(made); len(all) > 0 {
			t.Errorf("open to others after a restore: %v", all)
		}
	}
}
