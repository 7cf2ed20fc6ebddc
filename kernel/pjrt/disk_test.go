//go:build linux

package pjrt

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

// tmpfs mounts a small file system that is full or read-only, which takes root.
func tmpfs(t *testing.T, flags uintptr, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("cannot mount a small disk to try this on (it takes root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskIsNamedWithItsRemedy(t *testing.T) {
	index(t, "first-cpu")
	dir := tmpfs(t, 0, "size=16k")
	filler, err := os.Create(dir + "/filler")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(filler, zeros{}, 1<<20)
	if closeErr := filler.Close(); err == nil || closeErr != nil {
		t.Fatalf("the disk does not fill: %v, %v", err, closeErr)
	}
	_, err = fakeStore(dir).install(t.Context(), io.Discard)
	mustSay(t, err, "no space left", "free", "SSWE_CACHE", dir)
}

func TestAReadOnlyDiskIsNamedWithItsRemedy(t *testing.T) {
	index(t, "first-cpu")
	dir := tmpfs(t, syscall.MS_RDONLY, "")
	_, err := fakeStore(dir).install(t.Context(), io.Discard)
	mustSay(t, err, "read-only file system", "make it writable", "SSWE_CACHE", dir)
}

func TestAFileInTheWayIsNamedWithItsRemedy(t *testing.T) {
	index(t, "first-cpu")
	dir := t.TempDir() + "/cache"
	write(t, dir, "not a folder", 0o644)
	_, err := fakeStore(dir).install(t.Context(), io.Discard)
	mustSay(t, err, "not a directory", "SSWE_CACHE", dir)
}

func mustSay(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
