// Package daemon knows which servers of a home folder run: each one holds the
// lock of a file that tells its process and address. The lock is the system's,
// so that it dies with its process, and no number of a process that is gone is
// ever taken for a server.
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Record is a server that runs.
type Record struct {
	PID  int    `json:"pid"`
	Port int    `json:"port"`
	URL  string `json:"url"`
}

func file(home string, port int) string {
	return filepath.Join(home, fmt.Sprintf("server-%d.json", port))
}

// Hold tells of this process until release is called or it ends.
func Hold(home string, r Record) (release func(), err error) {
	f, err := os.OpenFile(file(home, r.Port), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ { // List holds it for a moment, and a server that drains for longer
		if err = lock(f); err == nil || n == 50 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = errors.Join(f.Truncate(0), write(f, b))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() {
		_ = f.Truncate(0)
		_ = f.Close()
	}, nil
}

func write(f *os.File, b []byte) error {
	_, err := f.WriteAt(b, 0)
	return err
}

// List is every server of the folder that runs, by port.
func List(home string) (all []Record, err error) {
	names, err := filepath.Glob(filepath.Join(home, "server-*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		var r Record
		if lock(f) != nil && json.NewDecoder(f).Decode(&r) == nil { // somebody holds it
			all = append(all, r)
		}
		_ = f.Close()
	}
	slices.SortFunc(all, func(x, y Record) int { return x.Port - y.Port })
	return all, nil
}

// Stop asks a server to end, and returns when it has.
func Stop(ctx context.Context, home string, r Record) error {
	if err := terminate(r.PID); err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := List(home)
		if err != nil || !slices.Contains(all, r) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
