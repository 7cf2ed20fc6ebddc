// Package dicomtest lends tests the real ultrasound files that the Python
// packages pydicom and pydicom-data carry, and a Python with DICOM readers to
// judge what we write. Both come through the user's own pip into the cache; a
// test that cannot have them is skipped with the reason. It never ships.
package dicomtest

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// wheel is a pinned file of a package index.
type wheel struct {
	requirement, sha256 string
	folder              string // inside it, where the DICOM files lie
}

var wheels = map[string]wheel{
	"pydicom":      {"pydicom==3.0.2", "abf971a5440f84dbaf42c4b6758e30e62480902584f8b270b9a5d146e278a07b", "pydicom/data/test_files/"},
	"pydicom-data": {"pydicom-data==1.0.0", "622ac97265f1d91f76b5120b5bd6eb0f57737c392ef863b72c71779c91e33637", "data_store/data/"},
}

// Files returns the folder with the DICOM files of the package, "pydicom" or
// "pydicom-data", fetching them once.
func Files(t testing.TB, pkg string) string {
	t.Helper()
	w, ok := wheels[pkg]
	if !ok {
		t.Fatalf("dicomtest has no package %q", pkg)
	}
	return cached(t, pkg+"-"+w.sha256[:16], func(ctx context.Context, dir string) error { return w.fetch(ctx, dir) })
}

// Python returns an interpreter with pydicom, highdicom and NumPy, making its
// environment once.
func Python(t testing.TB) string {
	t.Helper()
	dir := cached(t, "python-pydicom3.0.2-highdicom0.28.2", func(ctx context.Context, dir string) error {
		if err := run(ctx, python(), "-m", "venv", filepath.Join(dir, "venv")); err != nil {
			return err
		}
		return run(ctx, venvPython(dir), "-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--quiet",
			"pydicom==3.0.2", "highdicom==0.28.2", "numpy")
	})
	return venvPython(dir)
}

func venvPython(dir string) string { return filepath.Join(dir, "venv", "bin", "python") }

// cached makes a folder of the cache once, by one process at a time, or skips.
func cached(t testing.TB, name string, make func(context.Context, string) error) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no real DICOM files are fetched")
	}
	cache := os.Getenv("SSWE_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Skipf("no cache folder for real DICOM files: %v", err)
		}
		cache = filepath.Join(user, "sswe")
	}
	dir := filepath.Join(cache, "dicomtest", name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Skipf("no cache folder for real DICOM files: %v", err)
	}
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		t.Skipf("locking the cache of real DICOM files: %v", err)
	}
	defer lock.Close()
	stamp := filepath.Join(dir, ".complete")
	if _, err := os.Stat(stamp); err == nil {
		return dir
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	err := os.RemoveAll(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = make(ctx, dir)
	}
	if err == nil {
		err = os.WriteFile(stamp, nil, 0o644)
	}
	if err != nil {
		t.Skipf("%s is not to be had here: %v", name, err)
	}
	return dir
}

// fetch downloads the wheel, checks its hash and unpacks its DICOM files.
func (w wheel) fetch(ctx context.Context, dir string) error {
	tmp, err := os.MkdirTemp(dir, "wheel")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	requirements := filepath.Join(tmp, "requirements.txt")
	if err := os.WriteFile(requirements, []byte(w.requirement+" --hash=sha256:"+w.sha256+"\n"), 0o644); err != nil {
		return err
	}
	if err := run(ctx, python(), "-m", "pip", "--no-input", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
		"--only-binary=:all:", "--require-hashes", "--dest", tmp, "--requirement", requirements); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(tmp, "*.whl"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("pip left %d wheels (%v)", len(found), err)
	}
	if err := checkHash(found[0], w.sha256); err != nil {
		return err
	}
	return unzip(found[0], w.folder, dir)
}

func checkHash(name, want string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s has SHA-256 %s, pinned is %s", filepath.Base(name), got, want)
	}
	return nil
}

// unzip writes the files directly in folder into dir.
func unzip(name, folder, dir string) error {
	z, err := zip.OpenReader(name)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		base, ok := strings.CutPrefix(f.Name, folder)
		if !ok || base == "" || base != path.Base(base) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, base), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func python() string {
	if p := os.Getenv("SSWE_PYTHON"); p != "" {
		return p
	}
	return "python3"
}

func run(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return nil
}
