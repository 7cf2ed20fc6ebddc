// Package cachedir keeps folders of the cache whole: one process at a time builds a folder, and a stamp written last says
// that it is complete.
package cachedir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// EnvCache names the cache folder; every remedy for a folder that cannot be written points to it.
const EnvCache = "SSWE_CACHE"

// lockPoll is how often a process that waits for another looks again.
const lockPoll = 200 * time.Millisecond

// Lock takes the lock file name, saying on w what is waited for when another process holds it.
func Lock(ctx context.Context, name, what string, w io.Writer) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, Explain(what+": make the cache folder", filepath.Dir(name), err)
	}
	l := flock.New(name)
	got, err := l.TryLock()
	if err == nil && !got {
		fmt.Fprintf(w, "%s: waiting for another process that is at it\n", what)
		_, err = l.TryLockContext(ctx, lockPoll)
	}
	if ctx.Err() != nil {
		_ = l.Close()
		return nil, fmt.Errorf("%s: %w while waiting for %s", what, ctx.Err(), name)
	}
	if err != nil {
		return nil, Explain(what+": lock the cache", name, err)
	}
	return func() { _ = l.Close() }, nil
}

// stampName is the file in a complete folder.
const stampName = ".complete"

// Complete reports whether build has once finished for dir.
func Complete(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, stampName))
	return err == nil
}

// Build makes the folder dir by build, in place and from empty, unless it is complete. What a failed or killed build left is
// removed. The name of dir must change with whatever its content depends on.
func Build(ctx context.Context, dir, what string, w io.Writer, build func() error) error {
	if Complete(dir) {
		return nil
	}
	unlock, err := Lock(ctx, dir+".lock", what, w)
	if err != nil {
		return err
	}
	defer unlock()
	if Complete(dir) { // another process was quicker
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return Explain(what+": clear what an unfinished attempt left", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Explain(what+": make the folder", dir, err)
	}
	if err := build(); err != nil {
		_ = os.RemoveAll(dir)
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, stampName), nil, 0o644); err != nil {
		return Explain(what+": mark as complete", dir, err)
	}
	return nil
}

// WriteFile writes a file atomically unless it has that content already, so that readers never see half of it.
func WriteFile(name string, data []byte, mode os.FileMode) error {
	if old, err := os.ReadFile(name); err == nil && string(old) == string(data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if chmodErr := tmp.Chmod(mode); err == nil {
		err = chmodErr
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

// Explain wraps an error of the file system with what was being done, where, and the remedy.
func Explain(doing, path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: the disk is full at %s: %w; free 1 GB there, or set %s to a folder on another disk", doing, path, err, EnvCache)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s: cannot write %s: %w; make it writable, or set %s to a folder of your own", doing, path, err, EnvCache)
	}
	return fmt.Errorf("%s: %s: %w; set %s to another folder if this stays", doing, path, err, EnvCache)
}
