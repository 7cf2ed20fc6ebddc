// Package kernel is the floor that the notebooks stand on: a private Python environment with JupyterLab, the Go kernel
// "sSWE (Go)" built from the module's own tools, headless notebook runs, one archive for machines without a network, and a doctor
// that says what is and isn't well. Package ipynb knows the notebooks' form.
//
// Everything it keeps lies in the cache folder (see [pjrt.CacheDir]); the user's home, Jupyter configuration and PATH stay
// untouched. Once set up it needs no network. It knows nothing of ultrasound, and it never links XLA.
package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/pjrt"
)

// Name is the kernel's name in notebook metadata, and DisplayName what a reader sees.
const (
	Name        = "sswe"
	DisplayName = "sSWE (Go)"
)

// modulePath is the path in the go.mod of the checkout.
const modulePath = "elastography"

// Env is a working environment for one checkout.
type Env struct {
	Root   string      // the checkout: the folder with go.mod
	Cache  string      // the cache folder
	Python string      // the interpreter of the private Python environment
	Plugin pjrt.Plugin // the XLA plugin that cells compute with

	goTool  string // the go command
	tools   string // folder of gonb, goimports and cellbuild
	private string // this checkout's own folder in the cache: kernel spec, recipes of cells, Jupyter's files
}

// Setup makes everything that headless notebook runs need, or finds it made: the XLA plugin, the Python environment, the
// gonb kernel, and the compiled packages that cells link. It tells progress, which may be nil, about each long step.
//
// The first time takes about a minute and a network; after that it takes well under a second and no network. Processes that
// call it at the same time wait for one another. root is the checkout (see [FindRoot]).
func Setup(ctx context.Context, root string, progress io.Writer) (*Env, error) {
	if progress == nil {
		progress = io.Discard
	}
	e, err := newEnv(ctx, root)
	if err != nil {
		return nil, err
	}
	if e.Plugin, err = pjrt.Ensure(ctx, progress); err != nil {
		return nil, err
	}
	if e.Python, err = ensurePython(ctx, e.Cache, progress); err != nil {
		return nil, err
	}
	if e.tools, err = e.ensureTools(ctx, progress); err != nil {
		return nil, err
	}
	if err := e.writeSpec(); err != nil {
		return nil, err
	}
	if err := e.pruneTools(); err != nil {
		return nil, fmt.Errorf("notebook kernel: clear tools that nothing uses: %w", err)
	}
	return e, e.prebuild(ctx, progress)
}

func newEnv(ctx context.Context, root string) (*Env, error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("notebook kernel: gonb runs on Linux and macOS only; use WSL on Windows")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("notebook kernel: %w", err)
	}
	if strings.Contains(root, ",") {
		return nil, fmt.Errorf("notebook kernel: the checkout %s has a comma in its path, which gonb cannot read; move it", root)
	}
	if err := isRoot(root); err != nil {
		return nil, fmt.Errorf("notebook kernel: %w; name the folder with this project's go.mod", err)
	}
	cache, err := pjrt.CacheDir()
	if err != nil {
		return nil, fmt.Errorf("notebook kernel: %w", err)
	}
	e := &Env{Root: root, Cache: cache, private: filepath.Join(cache, "checkouts", short(root))}
	e.goTool, err = goTool(ctx, root)
	return e, err
}

// FindRoot returns the checkout that dir lies in: the nearest folder upwards with the go.mod of this project.
func FindRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	for dir = start; ; dir = filepath.Dir(dir) {
		if isRoot(dir) == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find the checkout: no folder from %s upwards has the go.mod of module %s; change into the checkout", start, modulePath)
		}
	}
}

func isRoot(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" && fields[1] == modulePath {
			return nil
		}
	}
	return fmt.Errorf("%s is not of module %s", filepath.Join(dir, "go.mod"), modulePath)
}

// short is a name for what parts hold, short because socket paths must be.
func short(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// once runs do unless it was run for the same key, and remembers that in the checkout's private folder.
func (e *Env) once(what, key string, do func() error) error {
	mark := filepath.Join(e.private, what+".done")
	if old, err := os.ReadFile(mark); err == nil && string(old) == key {
		return nil
	}
	if err := do(); err != nil {
		return err
	}
	if err := cachedir.WriteFile(mark, []byte(key), 0o644); err != nil {
		return cachedir.Explain("notebook kernel: remember what is "+what, mark, err)
	}
	return nil
}
