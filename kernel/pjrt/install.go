package pjrt

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/internal/pip"
	"elastography/kernel/internal/progress"
)

// install fetches the first pinned plugin that pip can get, alone among all processes that share the cache.
func (s store) install(ctx context.Context, w io.Writer) (Plugin, error) {
	pins := s.candidates()
	if len(pins) == 0 {
		return Plugin{}, fmt.Errorf("XLA plugin: none is pinned for %s; set %s=xla:cpu to let go-xla install its own (it downloads from its makers), or %s=xla:/path/to/plugin to use one that you have",
			s.platform, envBackend, envBackend)
	}
	if err := s.checkFolder(); err != nil {
		return Plugin{}, err
	}
	unlock, err := cachedir.Lock(ctx, filepath.Join(s.dir, "lock"), "XLA plugin", w)
	if err != nil {
		return Plugin{}, err
	}
	defer unlock()

	p, found, err := s.find() // another process may have been quicker
	if found {
		return p, nil
	}
	var damage *damagedError
	if errors.As(err, &damage) {
		fmt.Fprintf(w, "XLA plugin %s is damaged (%s): fetching it anew\n", damage.path, damage.why)
	}
	for i, pin := range pins {
		p, err = s.fetch(ctx, pin, w)
		if err == nil || !pip.Is(err, pip.NotServed) {
			break
		}
		if i+1 < len(pins) {
			fmt.Fprintf(w, "%s %s is not to be had; trying %s %s\n", pin.name, pin.version, pins[i+1].name, pins[i+1].version)
		}
	}
	return p, err
}

// fetch brings one pinned plugin into the store. All that is unfinished lies in one scratch folder, which holds the
// complete wheel until the plugin is in place; the last act is a rename.
func (s store) fetch(ctx context.Context, p pin, w io.Writer) (Plugin, error) {
	scratch := s.folder(p) + ".part"
	wheel := filepath.Join(scratch, p.wheel)
	if sum, err := fileSHA256(wheel); err != nil || sum != p.wheelSHA256 {
		if err := os.RemoveAll(scratch); err != nil {
			return Plugin{}, cachedir.Explain("XLA plugin: clear what an earlier fetch left", scratch, err)
		}
		if err := s.download(ctx, p, scratch, w); err != nil {
			_ = os.RemoveAll(scratch)
			return Plugin{}, err
		}
	}
	what := fmt.Sprintf("XLA plugin %s %s: unpacking and checking %s", p.name, p.version, humanize.Bytes(uint64(p.soBytes)))
	if err := progress.Step(w, what, 2*time.Second, func() error { return s.place(ctx, p, scratch) }); err != nil {
		return Plugin{}, err
	}
	return s.plugin(p, SourceWheel), nil
}

// place unpacks the complete wheel in scratch and moves the plugin to where it is found.
func (s store) place(ctx context.Context, p pin, scratch string) error {
	unpacked := filepath.Join(scratch, "unpacked")
	if err := unpack(ctx, p, filepath.Join(scratch, p.wheel), unpacked); err != nil {
		_ = os.RemoveAll(unpacked)
		return err
	}
	if err := os.RemoveAll(s.folder(p)); err != nil {
		return cachedir.Explain("XLA plugin: replace the damaged plugin", s.folder(p), err)
	}
	if err := os.Rename(unpacked, s.folder(p)); err != nil {
		return cachedir.Explain("XLA plugin: put the plugin in place", s.folder(p), err)
	}
	_ = os.RemoveAll(scratch)
	return s.verify(p) // also writes the stamp
}

// download has pip put the wheel into scratch. The hash is given to pip, which refuses other bytes, and checked again here.
func (s store) download(ctx context.Context, p pin, scratch string, w io.Writer) error {
	what := fmt.Sprintf("XLA plugin %s %s", p.name, p.version)
	failed := func(err error) error { return s.downloadError(what, err) }
	python, err := pip.Python()
	if err != nil {
		return failed(err)
	}
	tmp := filepath.Join(scratch, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return cachedir.Explain("XLA plugin: make a scratch folder", tmp, err)
	}
	requirements := filepath.Join(scratch, "requirements.txt")
	line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", p.name, p.version, p.wheelSHA256)
	if err := os.WriteFile(requirements, []byte(line), 0o644); err != nil {
		return cachedir.Explain("XLA plugin: write the pip requirement", requirements, err)
	}
	if python, err = pip.WithPip(ctx, python, filepath.Join(scratch, "venv")); err != nil {
		return failed(err)
	}
	fmt.Fprintf(w, "%s: fetching %s with pip\n", what, humanize.Bytes(uint64(p.wheelBytes)))
	before := progress.TreeBytes(scratch)
	stop := progress.Bytes(w, what, p.wheelBytes, func() int64 { return progress.TreeBytes(scratch) - before })
	err = pip.Run(ctx, python, []string{"TMPDIR=" + tmp}, io.Discard,
		"download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-cache-dir", "--retries=2", "--progress-bar=off",
		"-r", requirements, "-d", scratch)
	stop()
	if err != nil {
		return failed(err)
	}
	sum, err := fileSHA256(filepath.Join(scratch, p.wheel))
	if err != nil {
		return failed(fmt.Errorf("pip did not deliver %s: %w", p.wheel, err))
	}
	if sum != p.wheelSHA256 {
		return failed(&pip.Error{Reason: pip.WrongHash, Detail: p.wheel + " has " + sum})
	}
	return nil
}

// downloadError adds the remedy that fits the failure.
func (s store) downloadError(what string, err error) error {
	remedy := fmt.Sprintf("set %s=xla:/path/to/plugin to use one that you have", envBackend)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		remedy = "run again to go on"
	case pip.Is(err, pip.Offline):
		remedy = fmt.Sprintf("connect and run again, or set %s to a cache folder copied from a machine that has it, or %s=xla:/path/to/plugin", envCache, envBackend)
	case pip.Is(err, pip.WrongHash):
		remedy = "nothing was installed; check the index or mirror that pip is configured with (python3 -m pip config list), or " + remedy
	case pip.Is(err, pip.NotServed):
		remedy = fmt.Sprintf("it needs Linux with glibc 2.27 and pip 20.3 or later; point pip at an index that has it, or set %s=xla:cpu to let go-xla install its own, or %s", envBackend, strings.TrimPrefix(remedy, "set "))
	case pip.Is(err, pip.DiskFull):
		remedy = fmt.Sprintf("free 400 MB there, or set %s to a folder on another disk", envCache)
	case pip.Is(err, pip.Unwritable):
		remedy = fmt.Sprintf("make it writable, or set %s to a folder of your own", envCache)
	}
	return fmt.Errorf("%s: fetch into %s: %w; %s", what, s.dir, err, remedy)
}

// unpack writes the plugin and the licence files of the wheel into dir, and checks the plugin's hash on the way.
func unpack(ctx context.Context, p pin, wheel, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return cachedir.Explain("XLA plugin: clear what an earlier fetch left", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cachedir.Explain("XLA plugin: unpack", dir, err)
	}
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("XLA plugin: open %s: %w; delete it and run again", wheel, err)
	}
	defer archive.Close()
	sum := ""
	for _, f := range archive.File {
		base := path.Base(f.Name)
		if f.Name != p.member && !strings.Contains(f.Name, "/licenses/") && base != "METADATA" {
			continue
		}
		got, err := extract(ctx, f, filepath.Join(dir, base))
		if err != nil {
			return cachedir.Explain("XLA plugin: unpack "+f.Name, dir, err)
		}
		if f.Name == p.member {
			sum = got
		}
	}
	if sum != p.soSHA256 {
		return fmt.Errorf("XLA plugin: %s in %s has SHA-256 %q instead of %s; nothing was installed, delete the wheel and run again", p.member, wheel, sum, p.soSHA256)
	}
	return nil
}

// extract writes one member of a wheel to the file name and returns its SHA-256.
func extract(ctx context.Context, f *zip.File, name string) (string, error) {
	src, err := f.Open()
	if err != nil {
		return "", err
	}
	defer src.Close()
	dst, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(dst, h), contextReader{ctx, src})
	if err == nil {
		err = dst.Sync()
	}
	if closeErr := dst.Close(); err == nil {
		err = closeErr
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// contextReader ends a long copy when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
