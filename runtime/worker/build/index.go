package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// index is what one binary was made of: enough to see by stat alone that
// nothing changed.
type index struct {
	Binary     string  `json:"binary"`
	ImportPath string  `json:"import_path"`
	Env        string  `json:"env"`
	Source     string  `json:"source"` // of the generated main: a file that was written while another was read may be missing in it
	Files      []stamp `json:"files"`  // sources, and the folders that hold them: a new file changes its folder's time
}

type stamp struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Time int64  `json:"time"` // modification, nanoseconds
}

func stampOf(path string) (stamp, error) {
	st, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	s := stamp{Path: path, Size: st.Size(), Time: st.ModTime().UnixNano()}
	if st.IsDir() {
		s.Size = 0
	}
	return s, nil
}

// buildEnv are the settings that change what go build makes.
func buildEnv() string {
	var s strings.Builder
	for _, k := range []string{"GOFLAGS", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "CGO_ENABLED", "CGO_CFLAGS", "CGO_LDFLAGS", "CC", "GOWORK", "GOEXPERIMENT", "GOTOOLCHAIN", "GOROOT"} {
		fmt.Fprintf(&s, "%s=%s\n", k, os.Getenv(k))
	}
	return s.String()
}

func (b *Builder) indexPath(dir string) string {
	return filepath.Join(b.cache, "index", short(dir)+".json")
}

func short(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:8])
}

// fresh answers from the index alone.
func (b *Builder) fresh(pkg *Package) (string, bool) {
	dir := pkg.Dir
	b.mu.Lock()
	idx := b.indexes[dir]
	b.mu.Unlock()
	if idx == nil {
		text, err := os.ReadFile(b.indexPath(dir))
		if err != nil {
			return "", false
		}
		idx = &index{}
		if json.Unmarshal(text, idx) != nil {
			return "", false
		}
	}
	if idx.Env != buildEnv() || idx.Source != short(string(mainSource(idx.ImportPath, pkg))) {
		return "", false
	}
	if _, err := os.Stat(idx.Binary); err != nil {
		return "", false
	}
	for _, f := range idx.Files {
		if now, err := stampOf(f.Path); err != nil || now != f {
			return "", false
		}
	}
	b.mu.Lock()
	b.indexes[dir] = idx
	b.mu.Unlock()
	return idx.Binary, true
}

// remember is a convenience: a lost index costs one look at the sources.
func (b *Builder) remember(dir string, idx *index) {
	b.mu.Lock()
	b.indexes[dir] = idx
	b.mu.Unlock()
	text, err := json.Marshal(idx)
	if err != nil {
		return
	}
	p := b.indexPath(dir)
	if os.MkdirAll(filepath.Dir(p), 0o700) != nil {
		return
	}
	tmp := fmt.Sprintf("%s.%d", p, os.Getpid())
	if os.WriteFile(tmp, text, 0o600) == nil {
		_ = os.Rename(tmp, p)
	}
}

type listed struct {
	Dir, ImportPath string
	Standard        bool
	Module          *struct {
		Main    bool
		Version string
		Dir     string
		Replace *struct{ Version, Dir string }
	}
	GoFiles, CgoFiles, CFiles, CXXFiles, HFiles, SFiles, SysoFiles, EmbedFiles []string
}

// local packages may change under us; released module versions never do.
func (l *listed) local() bool {
	if l.Standard || l.Module == nil {
		return false
	}
	if l.Module.Replace != nil {
		return l.Module.Replace.Version == ""
	}
	return l.Module.Version == ""
}

// scan asks the toolchain what the package is made of, and hashes it.
func (b *Builder) scan(ctx context.Context, tool, root string, pkg *Package) (*index, error) {
	rel, err := filepath.Rel(root, pkg.Dir)
	if err != nil {
		return nil, core.Errorf(core.EInternal, "build: %w", err)
	}
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, tool, args...)
		cmd.Dir = root
		cmd.Env = append(core.FlowEnviron(os.Environ()), "PWD="+root)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, compileError(stderr.String(), err)
		}
		return out, nil
	}
	fields := "-json=Dir,ImportPath,Standard,Module,GoFiles,CgoFiles,CFiles,CXXFiles,HFiles,SFiles,SysoFiles,EmbedFiles"
	out, err := run("list", "-deps", "-e", fields, "./"+filepath.ToSlash(rel))
	if err != nil {
		return nil, err
	}
	version, err := run("env", "GOVERSION", "GOWORK")
	if err != nil {
		return nil, err
	}
	idx := &index{Env: buildEnv()}
	files := map[string]bool{}
	dirs := map[string]bool{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return nil, core.Errorf(core.EInternal, "go list: %w", err)
		}
		if l.Dir == pkg.Dir || sameDir(l.Dir, pkg.Dir) {
			idx.ImportPath = l.ImportPath
		}
		if !l.local() {
			continue
		}
		dirs[l.Dir] = true
		for _, set := range [][]string{l.GoFiles, l.CgoFiles, l.CFiles, l.CXXFiles, l.HFiles, l.SFiles, l.SysoFiles, l.EmbedFiles} {
			for _, f := range set {
				if !filepath.IsAbs(f) {
					f = filepath.Join(l.Dir, f)
				}
				files[f] = true
			}
		}
	}
	for _, f := range []string{"go.mod", "go.sum", "vendor/modules.txt"} {
		files[filepath.Join(root, f)] = true
	}
	if lines := strings.Split(string(version), "\n"); len(lines) > 1 && lines[1] != "" && lines[1] != "off" {
		files[lines[1]], files[lines[1]+".sum"] = true, true
	}
	files[tool] = true

	idx.Source = short(string(mainSource(idx.ImportPath, pkg)))

	key := sha256.New()
	fmt.Fprintf(key, "1 %s %s/%s\n%s%s", version, runtime.GOOS, runtime.GOARCH, idx.Env, mainSource(idx.ImportPath, pkg))
	for _, f := range sorted(files) {
		s, err := stampOf(f)
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return nil, core.Errorf(core.EInvalid, "build: %w", err)
		}
		idx.Files = append(idx.Files, s)
		if f == tool {
			continue // its version is in the key
		}
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, core.Errorf(core.EInvalid, "build: %w", err)
		}
		fmt.Fprintf(key, "%s %d\n", f, len(text))
		key.Write(text)
	}
	for _, d := range sorted(dirs) {
		if s, err := stampOf(d); err == nil {
			idx.Files = append(idx.Files, s)
		}
	}
	name := filepath.Base(pkg.Dir)
	idx.Binary = filepath.Join(b.cache, "bin", name+"-"+short(pkg.Dir), hex.EncodeToString(key.Sum(nil)[:12]), name)
	return idx, nil
}

func sameDir(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for k := range set {
		all = append(all, k)
	}
	sort.Strings(all)
	return all
}

const keepBinaries = 5

// prune keeps a package's newest binaries. A running one may lose its file:
// the process keeps its inode.
func (b *Builder) prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= keepBinaries {
		return
	}
	age := func(e os.DirEntry) int64 {
		if info, err := e.Info(); err == nil {
			return info.ModTime().UnixNano()
		}
		return 0
	}
	sort.Slice(entries, func(i, j int) bool { return age(entries[i]) > age(entries[j]) })
	for _, e := range entries[keepBinaries:] {
		_ = os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}
