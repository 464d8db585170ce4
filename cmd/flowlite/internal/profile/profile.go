// Package profile keeps named sets of settings in one file, so that a person
// can go from server to server by one word.
package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flowlite/flowlite/runtime/private"
)

// Local is the profile that is there before any is made.
const Local = "local"

// File is what stands in profiles.yaml: profiles, and which one is in use.
type File struct {
	path     string
	Active   string                       `yaml:"active"`
	Profiles map[string]map[string]string `yaml:"profiles"`
}

// Load reads the file of a folder. Without one there is the profile local, empty.
func Load(home string) (*File, error) {
	f := &File{path: filepath.Join(home, "profiles.yaml")}
	b, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err == nil && len(bytes.TrimSpace(b)) > 0 {
		if err := d.Decode(f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	if f.Active == "" {
		f.Active = Local
	}
	if f.Profiles == nil {
		f.Profiles = map[string]map[string]string{}
	}
	if f.Profiles[Local] == nil && (f.Active == Local || len(f.Profiles) == 0) {
		f.Profiles[Local] = map[string]string{}
	}
	return f, nil
}

// Path is where the file lies.
func (f *File) Path() string { return f.path }

// Save replaces the file as a whole: a reader sees the old one or the new one.
// Others may not read it, since it may hold credentials.
func (f *File) Save() error {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil {
		return err
	}
	if err := private.Home(filepath.Dir(f.path)); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(f.path), ".profiles-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b.Bytes())
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

// Names are in order.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.Profiles)) }

// Has tells whether there is a profile.
func (f *File) Has(name string) bool { return f.Profiles[name] != nil }

// Check says why a name cannot be a profile's; nil if it can.
func Check(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
	}) {
		return fmt.Errorf("%q cannot be the name of a profile; it has letters, digits, dots, dashes and underscores", name)
	}
	return nil
}
