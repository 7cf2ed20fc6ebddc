package kernel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// emptyCache is an environment whose cache holds the launchers of the given checkouts and nothing else.
func emptyCache(t *testing.T, roots ...string) []*Env {
	t.Helper()
	cache := t.TempDir()
	t.Setenv("SSWE_CACHE", cache)
	var envs []*Env
	for _, root := range roots {
		e, err := newEnv(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		e.tools = filepath.Join(cache, "tools", short(root))
		if err := errors.Join(e.writeSpec(), os.MkdirAll(e.tools, 0o755)); err != nil {
			t.Fatal(err)
		}
		envs = append(envs, e)
	}
	return envs
}

// checkout is a folder that passes for this project's.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, goplsModule), 0o755),
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module elastography\n\ngo 1.26\n"), 0o644),
		os.WriteFile(filepath.Join(dir, goplsModule, "go.mod"), []byte("module elastography/kernel/tools\n\ngo 1.26\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func TestInstallWritesOneFolderAndUninstallLeavesNothing(t *testing.T) {
	root, prefix := checkout(t), t.TempDir()
	e := emptyCache(t, root)[0]
	dir, err := e.Install(prefix)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := os.ReadFile(filepath.Join(prefix, "share", "jupyter", "kernels", "sswe", "kernel.json"))
	if err != nil || !strings.Contains(string(spec), filepath.Join(e.specDir(), "launch.sh")) || !strings.Contains(string(spec), DisplayName) {
		t.Fatalf("%s, %v", spec, err)
	}
	if _, err := Uninstall(t.Context(), root, prefix); err != nil {
		t.Fatal(err)
	}
	if !gone(dir) || !gone(e.Cache) || !gone(filepath.Join(prefix, "share", "jupyter")) || gone(prefix) {
		t.Error("something is left")
	}
}

// Another Jupyter or VS Code knows only the installed folder: no environment of ours, a home without anything in it.
func TestTheInstalledKernelRunsUnderAnotherFrontEnd(t *testing.T) {
	e, prefix, home := testEnv(t), t.TempDir(), shortTemp(t)
	if _, err := e.Install(prefix); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), e.Python, "testdata/frontend.py")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, "JUPYTER_PATH=" + filepath.Join(prefix, "share", "jupyter"),
		"GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "PYTHONDONTWRITEBYTECODE=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := DisplayName + "\nthe checkout's packages: " + modulePath + "\ninterrupted, and saved\nlistens on loopback alone: True\nalive: False\n"
	if string(out) != want {
		t.Errorf("%q instead of %q", out, want)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestUninstallSparesOtherCheckouts(t *testing.T) {
	mine, other, prefix := checkout(t), checkout(t), t.TempDir()
	envs := emptyCache(t, mine, other)
	dir, err := envs[1].Install(prefix)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Uninstall(t.Context(), mine, prefix); err != nil {
		t.Fatal(err)
	}
	if !gone(envs[0].private) || gone(envs[1].private) || gone(dir) {
		t.Error("the wrong things are gone")
	}
}

func TestToolsThatNoCheckoutUsesAreCleared(t *testing.T) {
	e := emptyCache(t, checkout(t))[0]
	old := time.Now().Add(-2 * unusedFor)
	unused, fresh := filepath.Join(e.Cache, "tools", "000000000000"), filepath.Join(e.Cache, "tools", "111111111111")
	for _, dir := range []string{unused, fresh, e.tools} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(dir+".lock", nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{unused, unused + ".lock", e.tools, e.tools + ".lock"} {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.pruneTools(); err != nil {
		t.Fatal(err)
	}
	if !gone(unused) || !gone(unused+".lock") || gone(fresh) || gone(e.tools) {
		t.Error("the wrong tools are gone")
	}
}

func TestABundleCarriesTheCheckoutWithoutResults(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"main.go", "notebooks/01.ipynb", "notebooks/01.executed.ipynb", "runs/a/config.json", ".git/HEAD", "data/runs/kept.txt"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var packed bytes.Buffer
	a := newArchive(t.Context(), &packed)
	a.tree("sswe", dir, leftOut)
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	gz, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
	if got := strings.Join(names, " "); got != "sswe/data/runs/kept.txt sswe/main.go sswe/notebooks/01.ipynb" {
		t.Error(got)
	}
}
