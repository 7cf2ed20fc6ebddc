package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"elastography/kernel/internal/cachedir"
)

// Complete makes what people at a notebook need beyond [Setup]: completion.
func (e *Env) Complete(ctx context.Context, w io.Writer) error { return e.ensureGopls(ctx, w) }

// SpecDir is where Jupyter looks for kernels: below prefix (a shared machine's /usr/local, say), or in the user's own folder if
// prefix is empty.
func SpecDir(prefix string) (string, error) {
	if prefix != "" {
		return filepath.Join(prefix, "share", "jupyter", "kernels", Name), nil
	}
	if data := os.Getenv("JUPYTER_DATA_DIR"); data != "" {
		return filepath.Join(data, "kernels", Name), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find Jupyter's folder: %w; give a prefix", err)
	}
	return filepath.Join(home, ".local", "share", "jupyter", "kernels", Name), nil
}

// Install tells every Jupyter, VS Code included, that looks below prefix of this checkout's kernel. It returns the one folder
// that it writes. The kernel keeps living in the cache; only its address is written.
func (e *Env) Install(prefix string) (dir string, err error) {
	if dir, err = SpecDir(prefix); err != nil {
		return "", err
	}
	spec, err := json.MarshalIndent(map[string]any{
		"argv":           []string{"sh", filepath.Join(e.specDir(), "launch.sh"), "{connection_file}"},
		"display_name":   DisplayName,
		"language":       "go",
		"interrupt_mode": "message",
		"metadata":       map[string]string{"checkout": e.Root},
	}, "", "  ")
	if err != nil {
		return "", err
	}
	if err := cachedir.WriteFile(filepath.Join(dir, "kernel.json"), append(spec, '\n'), 0o644); err != nil {
		return "", fmt.Errorf("install the notebook kernel into %s: %w; choose another prefix", dir, err)
	}
	return dir, nil
}

// Uninstall removes what Install wrote below prefix, everything that the cache holds for the checkout at root, and the whole
// cache when no other checkout uses it. It returns what it removed. Go's own caches stay: they are Go's.
func Uninstall(ctx context.Context, root, prefix string) (removed []string, err error) {
	e, err := newEnv(ctx, root)
	if err != nil {
		return nil, err
	}
	spec, err := SpecDir(prefix)
	if err != nil {
		return nil, err
	}
	folders := []string{e.private}
	if data, err := os.ReadFile(filepath.Join(spec, "kernel.json")); err == nil && strings.Contains(string(data), e.private) {
		folders = append(folders, spec) // ours, not another checkout's
	}
	others, err := e.otherCheckouts()
	if err != nil {
		return nil, err
	}
	if len(others) == 0 {
		folders = append(folders, e.Cache)
	}
	for _, dir := range folders {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return removed, cachedir.Explain("uninstall", dir, err)
		}
		removed = append(removed, dir)
	}
	for dir := filepath.Dir(spec); filepath.Base(dir) == "kernels" || filepath.Base(dir) == "jupyter"; dir = filepath.Dir(dir) {
		_ = os.Remove(dir) // if nothing else is in it
	}
	return removed, nil
}

// otherCheckouts lists the launchers of checkouts that still are where they were, but for this one.
func (e *Env) otherCheckouts() (launchers []string, err error) {
	all, err := filepath.Glob(filepath.Join(e.Cache, "checkouts", "*", "jupyter", "kernels", Name, "launch.sh"))
	if err != nil {
		return nil, err
	}
	for _, launcher := range all {
		data, err := os.ReadFile(launcher)
		if err != nil || strings.HasPrefix(launcher, e.private+string(filepath.Separator)) {
			continue
		}
		_, rest, _ := strings.Cut(string(data), "export SSWE_ROOT=")
		line, _, _ := strings.Cut(rest, "\n")
		root := strings.ReplaceAll(strings.Trim(line, "'"), `'\''`, "'")
		if isRoot(root) == nil {
			launchers = append(launchers, string(data))
		}
	}
	return launchers, nil
}

// unusedFor is how long tools lie that no checkout uses: a process that has built them may be about to.
const unusedFor = 24 * time.Hour

// pruneTools removes tools that no checkout starts any more: each version of go.mod leaves 30 MB and more.
func (e *Env) pruneTools() error {
	launchers, err := e.otherCheckouts()
	if err != nil {
		return err
	}
	mine, err := os.ReadFile(filepath.Join(e.specDir(), "launch.sh"))
	if err != nil {
		return err
	}
	used := strings.Join(append(launchers, string(mine)), "\n")
	entries, err := os.ReadDir(filepath.Join(e.Cache, "tools"))
	if err != nil {
		return err
	}
	for _, d := range entries {
		info, err := d.Info()
		name := strings.TrimSuffix(d.Name(), ".lock")
		if err == nil && !strings.Contains(used, name) && time.Since(info.ModTime()) > unusedFor {
			_ = os.RemoveAll(filepath.Join(e.Cache, "tools", d.Name())) // what cannot go costs space, nothing else
		}
	}
	return nil
}
