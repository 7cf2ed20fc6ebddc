package kernel

import (
	"archive/tar"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/mod/module"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/internal/pip"
	"elastography/kernel/internal/proc"
	"elastography/kernel/internal/progress"
)

// Folders of a bundle. A machine of the same kind of processor and system needs Go, a C compiler and Python besides.
const (
	bundleCheckout = "sswe"    // the source, with what was asked to lie in it
	bundleModules  = "modules" // as in Go's module cache, under cache/download
	bundleWheels   = "wheels"  // of the Python environment and the XLA plugin
)

const bundleSetup = `#!/bin/sh
# Sets up sSWE without a network, from this folder alone. It needs Go, a C compiler and Python 3.10 to 3.13.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/sswe"
export GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local GOWORK=off PIP_NO_INDEX=1 PIP_FIND_LINKS="$here/wheels"
modules=$(go env GOMODCACHE)/cache/download
mkdir -p "$modules"
cp -R "$here/modules/." "$modules/"
go run . kernel setup
echo "Ready. Next: cd $here/sswe && GOPROXY=off go run . lab"
`

// Bundle writes one archive (tar.gz) that sets up a machine without a network: the checkout, every Go module, every wheel, and
// setup.sh. with names further folders of this machine by their place in the checkout, such as a cohort. It needs a network
// itself, for wheels that were unpacked long ago. It returns the bytes of each part before compression.
func (e *Env) Bundle(ctx context.Context, out string, with map[string]string, w io.Writer) (parts map[string]int64, err error) {
	failed := func(err error) error { return fmt.Errorf("bundle %s: %w", out, err) }
	if e.Plugin.Version == "" {
		return nil, failed(errors.New("the XLA plugin is one that GOMLX_BACKEND names; unset it to take the pinned one along"))
	}
	if err := e.ensureGopls(ctx, w); err != nil {
		return nil, failed(err)
	}
	wheels, err := os.MkdirTemp(filepath.Dir(out), ".wheels-*")
	if err != nil {
		return nil, failed(fmt.Errorf("%w; choose another folder", err))
	}
	defer os.RemoveAll(wheels)
	if err := progress.Step(w, "bundle: fetching wheels", time.Minute, func() error { return e.fetchWheels(ctx, wheels) }); err != nil {
		return nil, failed(err)
	}
	file, err := renameio.NewPendingFile(out)
	if err != nil {
		return nil, failed(err)
	}
	defer file.Cleanup()
	a := newArchive(ctx, file)
	a.bytes("setup.sh", []byte(bundleSetup), 0o755)
	a.tree(bundleCheckout, e.Root, leftOut)
	for _, place := range slices.Sorted(maps.Keys(with)) {
		a.tree(path.Join(bundleCheckout, place), with[place], func(string) bool { return false })
	}
	a.tree(bundleWheels, wheels, func(string) bool { return false })
	if err := e.modules(ctx, a, w); err != nil {
		return nil, failed(err)
	}
	if err := a.close(); err != nil {
		return nil, failed(err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return nil, failed(err)
	}
	return a.parts, nil
}

// leftOut tells what of a checkout does not travel: results, what git keeps, what notebooks leave behind.
func leftOut(name string) bool {
	switch name {
	case ".git", "runs", "cohorts", "synthetic":
		return true
	}
	base := path.Base(name)
	return base == ".ipynb_checkpoints" || strings.HasSuffix(base, ".executed.ipynb") || strings.HasSuffix(base, ".failed.ipynb")
}

//go:embed lock_lines.py
var lockLines string

// bundlePythons stand for all versions that the lock file tells apart: the laptops of a class differ in their Python.
var bundlePythons = []string{"3.10.0", "3.11.0", "3.11.9", "3.12.0", "3.13.0"}

// fetchWheels has pip fetch what Setup will ask it for, for every Python version that it serves; all is checked against the
// pinned hashes, here or when installed.
func (e *Env) fetchWheels(ctx context.Context, dir string) error {
	lists, err := os.MkdirTemp(filepath.Dir(dir), ".lists-*")
	if err != nil {
		return fmt.Errorf("fetch wheels: %w", err)
	}
	defer os.RemoveAll(lists)
	lock := filepath.Join(lists, "requirements.lock")
	if err := os.WriteFile(lock, []byte(requirements), 0o644); err != nil {
		return fmt.Errorf("fetch wheels: %w", err)
	}
	if out, err := proc.Command(ctx, e.Python, append([]string{"-c", lockLines, lock, lists}, bundlePythons...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("fetch wheels: read the lock file: %w: %s", err, tail(string(out), 3))
	}
	what := [][]string{{e.Plugin.Name + "==" + e.Plugin.Version}}
	for _, version := range bundlePythons {
		what = append(what, []string{"--python-version", version, "--require-hashes", "-r", filepath.Join(lists, version+".txt")})
	}
	for _, w := range what {
		args := append([]string{"download", "--no-deps", "--only-binary=:all:", "--progress-bar=off", "-d", dir}, w...)
		if err := pip.Run(ctx, e.Python, nil, io.Discard, args...); err != nil {
			return fmt.Errorf("fetch wheels: %w; connect and run again", err)
		}
	}
	return nil
}

// modules puts every module version that go.sum names, of the checkout and of its tools, as Go's own cache has it.
func (e *Env) modules(ctx context.Context, a *archive, w io.Writer) error {
	out, err := goCommand(ctx, e.Root, e.goTool, "env", "GOMODCACHE").Output()
	if err != nil {
		return fmt.Errorf("ask Go for its module cache: %w", err)
	}
	cache := filepath.Join(strings.TrimSpace(string(out)), "cache", "download")
	seen := map[string]bool{}
	for _, sums := range []string{"go.sum", goplsModule + "/go.sum"} {
		data, err := os.ReadFile(filepath.Join(e.Root, sums))
		if err != nil {
			return fmt.Errorf("%w; restore the checkout", err)
		}
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			if len(fields) != 3 {
				continue
			}
			kinds := []string{".mod", ".info", ".zip", ".ziphash"}
			version, modOnly := strings.CutSuffix(fields[1], "/go.mod")
			if modOnly {
				kinds = kinds[:2]
			}
			escapedPath, err1 := module.EscapePath(fields[0])
			escapedVersion, err2 := module.EscapeVersion(version)
			if err := errors.Join(err1, err2); err != nil {
				return fmt.Errorf("%s: %w", sums, err)
			}
			for _, kind := range kinds {
				name := path.Join(escapedPath, "@v", escapedVersion+kind)
				if !seen[name] {
					seen[name] = true
					a.fileIfThere(path.Join(bundleModules, name), filepath.Join(cache, filepath.FromSlash(name)))
				}
			}
		}
	}
	return nil
}

// archive writes a tar.gz and keeps the first error.
type archive struct {
	ctx   context.Context
	gz    *gzip.Writer
	tar   *tar.Writer
	parts map[string]int64 // bytes by top folder
	err   error
}

func newArchive(ctx context.Context, w io.Writer) *archive {
	gz, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // wheels and modules are zip files already
	return &archive{ctx: ctx, gz: gz, tar: tar.NewWriter(gz), parts: map[string]int64{}}
}

func (a *archive) close() error { return errors.Join(a.err, a.tar.Close(), a.gz.Close()) }

func (a *archive) header(name string, size int64, mode fs.FileMode) {
	if a.err == nil {
		a.err = a.ctx.Err()
	}
	if a.err != nil {
		return
	}
	perm := int64(0o644)
	if mode&0o111 != 0 {
		perm = 0o755
	}
	a.err = a.tar.WriteHeader(&tar.Header{Name: name, Mode: perm, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatPAX})
	top, _, _ := strings.Cut(name, "/")
	a.parts[top] += size
}

func (a *archive) bytes(name string, data []byte, mode fs.FileMode) {
	if a.header(name, int64(len(data)), mode); a.err == nil {
		_, a.err = a.tar.Write(data)
	}
}

func (a *archive) file(name, from string) {
	f, err := os.Open(from)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	if a.header(name, info.Size(), info.Mode()); a.err == nil {
		_, a.err = io.Copy(a.tar, f)
	}
}

func (a *archive) fileIfThere(name, from string) {
	if _, err := os.Stat(from); err == nil {
		a.file(name, from)
	}
}

// tree puts the regular files below dir, but for what skip names by its path in dir.
func (a *archive) tree(name, dir string, skip func(name string) bool) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case rel != "." && skip(rel) && d.IsDir():
			return filepath.SkipDir
		case d.Type().IsRegular() && !skip(rel):
			a.file(path.Join(name, rel), file)
		}
		return a.err
	})
	if err != nil && a.err == nil {
		a.err = cachedir.Explain("read what goes into the bundle", dir, err)
	}
}
