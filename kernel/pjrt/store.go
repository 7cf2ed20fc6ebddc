package pjrt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"elastography/kernel/internal/cachedir"
)

// store is the folder of installed plugins: one folder a pin, named after it, holding the shared library, the licence files
// that came with it, and a stamp.
type store struct {
	dir      string
	pins     []pin
	platform string // GOOS/GOARCH
}

func (s store) folder(p pin) string { return filepath.Join(s.dir, p.name+"-"+p.version) }
func (s store) path(p pin) string   { return filepath.Join(s.folder(p), path.Base(p.member)) }
func (s store) stamp(p pin) string  { return filepath.Join(s.folder(p), "verified.json") }

func (s store) plugin(p pin, source string) Plugin {
	return Plugin{Path: s.path(p), Name: p.name, Version: p.version, Publisher: p.publisher, License: p.license,
		SHA256: p.soSHA256, PJRTAPI: p.pjrtAPI, Source: source}
}

func (s store) candidates() (pins []pin) {
	for _, p := range s.pins {
		if p.platform == s.platform {
			pins = append(pins, p)
		}
	}
	return pins
}

// damagedError says that an installed plugin is not the pinned file any more.
type damagedError struct{ path, why string }

func (e *damagedError) Error() string {
	return fmt.Sprintf("XLA plugin %s is damaged: %s; run again with a network and it is fetched anew", e.path, e.why)
}

// find returns the first installed plugin that is sound. Only when there is none does damage to another count.
func (s store) find() (Plugin, bool, error) {
	var damage error
	for _, pin := range s.candidates() {
		err := s.verify(pin)
		if err == nil {
			return s.plugin(pin, SourceCache), true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && damage == nil {
			damage = err
		}
	}
	return Plugin{}, false, damage
}

// verified is the stamp: the file it was written for had the pinned hash.
type verified struct {
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	MTimeNS int64  `json:"mtime_ns"`
}

// verify checks an installed plugin: by its stamp when size and time are those it was hashed with, else by hashing it again.
func (s store) verify(p pin) error {
	info, err := os.Stat(s.path(p))
	if err != nil {
		return fmt.Errorf("XLA plugin: %w", err)
	}
	now := verified{p.soSHA256, info.Size(), info.ModTime().UnixNano()}
	if info.Size() != p.soBytes {
		return &damagedError{s.path(p), fmt.Sprintf("%d bytes instead of %d", info.Size(), p.soBytes)}
	}
	var then verified
	if data, err := os.ReadFile(s.stamp(p)); err == nil && json.Unmarshal(data, &then) == nil && then == now {
		return nil
	}
	sum, err := fileSHA256(s.path(p))
	if err != nil {
		return fmt.Errorf("XLA plugin: hash %s: %w", s.path(p), err)
	}
	if sum != p.soSHA256 {
		return &damagedError{s.path(p), "its SHA-256 is " + sum}
	}
	if stamp, err := json.Marshal(now); err == nil {
		_ = cachedir.WriteFile(s.stamp(p), stamp, 0o644) // best effort: a shared read-only cache is hashed each time
	}
	return nil
}

func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// checkFolder refuses cache folders whose name go-xla would misread: it splits its configuration at commas and takes a
// path that mentions CUDA or NVIDIA for a GPU plugin.
func (s store) checkFolder() error {
	if strings.Contains(s.dir, ",") {
		return fmt.Errorf("XLA plugin: the cache folder %s has a comma in its name, which GoMLX cannot read; set %s to another folder", s.dir, envCache)
	}
	if upper := strings.ToUpper(s.dir); strings.Contains(upper, "CUDA") || strings.Contains(upper, "NVIDIA") {
		return fmt.Errorf("XLA plugin: the cache folder %s mentions CUDA or NVIDIA, so go-xla would take its CPU plugin for a GPU's; set %s to another folder", s.dir, envCache)
	}
	return nil
}
