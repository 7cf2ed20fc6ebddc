// Package pjrt finds, fetches, verifies and selects the XLA plugin that GoMLX computes with.
//
// A PJRT plugin is a shared library that holds XLA's compiler and runtime for one kind of device. One line makes a program,
// a test or a notebook cell run on XLA:
//
//	if _, err := pjrt.Use(ctx); err != nil { … }   // before compute.New()
//
// The plugin is taken from, in this order:
//
//  1. GOMLX_BACKEND, when it is set: a GoMLX configuration ("xla:cuda", "xla:/path/plugin.so", "go") or the bare path of a plugin;
//  2. the cache (see [CacheDir]), when a pinned plugin lies there undamaged;
//  3. a wheel pinned by version and SHA-256, fetched by pip with the user's own index settings.
//
// go-xla's own installer, which knows other platforms and CUDA, is never run unasked: the errors name it as a remedy.
//
// Package compiler, in the folder below, puts native operations into programs and keeps what the plugin compiles from one
// process to the next.
//
// The package never links XLA or GoMLX, so importing it costs nothing, and it never talks to a network itself: pip does.
package pjrt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"elastography/kernel/internal/cachedir"
)

// Environment variables read and written here.
const (
	envBackend   = "GOMLX_BACKEND"         // GoMLX's choice of backend; read, and written by Use
	envNoInstall = "GOMLX_NO_AUTO_INSTALL" // keeps go-xla's installer quiet in this program's children; written by Use
	envCache     = cachedir.EnvCache       // the cache folder, absolute; read
)

// Where a plugin came from.
const (
	SourceEnv   = "GOMLX_BACKEND"
	SourceCache = "cache"
	SourceWheel = "wheel"
)

// Plugin is an XLA plugin ready to be loaded.
//
// A plugin chosen by the user through GOMLX_BACKEND carries only what that variable says: Path is empty when it names a
// plugin that go-xla looks up itself, and Version, Publisher, License, SHA256 and PJRTAPI are empty unless the file is one of ours.
type Plugin struct {
	Path      string `json:"path"`      // the shared library, absolute
	Name      string `json:"name"`      // the wheel's name, or what GOMLX_BACKEND says
	Version   string `json:"version"`   // the wheel's version
	Publisher string `json:"publisher"` // who built it: a third party, not Google and not GoMLX
	License   string `json:"license"`   // SPDX identifier
	SHA256    string `json:"sha256"`    // of the shared library, hexadecimal
	PJRTAPI   string `json:"pjrt_api"`  // version of the PJRT C interface that it implements
	Source    string `json:"source"`    // SourceEnv, SourceCache or SourceWheel

	config string // GOMLX_BACKEND for this plugin
}

// Backend returns the GoMLX configuration that selects the plugin, such as "xla:/abs/plugin.so,shared_buffers".
//
// shared_buffers hands host memory to XLA without a copy; go-xla turns it on by itself only for a plugin named "cpu".
func (p Plugin) Backend() string {
	if p.config != "" {
		return p.config
	}
	return xlaConfig(p.Path)
}

func xlaConfig(path string) string { return "xla:" + path + ",shared_buffers" }

// Use is [Ensure], reporting progress on standard error, and then sets GOMLX_BACKEND so that compute.New() gives this plugin,
// here and in child processes. Call it before the first backend is created.
func Use(ctx context.Context) (Plugin, error) {
	p, err := Ensure(ctx, os.Stderr)
	if err != nil {
		return Plugin{}, err
	}
	if err := os.Setenv(envBackend, p.Backend()); err != nil {
		return Plugin{}, fmt.Errorf("select XLA plugin: set %s: %w", envBackend, err)
	}
	if p.Path == "" {
		return p, nil // a plugin that go-xla is to look up: its installer is what the user asked for
	}
	if err := os.Setenv(envNoInstall, "1"); err != nil {
		return Plugin{}, fmt.Errorf("select XLA plugin: set %s: %w", envNoInstall, err)
	}
	return p, nil
}

// Ensure returns the plugin to use, fetching it (63 MB, unpacked 200 MB) when it is not there yet. Progress is written to
// progress, which may be nil. Processes that call it at the same time wait for one another and fetch once. A fetch that was
// killed leaves nothing half done: the next call starts over, or goes on from the complete wheel.
//
// Each error says on one line what failed, where, and the remedy.
func Ensure(ctx context.Context, progress io.Writer) (Plugin, error) {
	s, p, found, err := find()
	var damage *damagedError
	if found || (err != nil && !errors.As(err, &damage)) {
		return p, err
	}
	if progress == nil {
		progress = io.Discard
	}
	return s.install(ctx, progress)
}

// Find returns the plugin that Ensure would use without fetching; found is false when there is none yet. It needs no network
// and takes well under a millisecond, unless the cached file was touched and has to be hashed again.
func Find() (p Plugin, found bool, err error) {
	_, p, found, err = find()
	return p, found, err
}

func find() (s store, p Plugin, found bool, err error) {
	cache, cacheErr := CacheDir()
	if cacheErr == nil {
		s = store{dir: filepath.Join(cache, "pjrt"), pins: pinned, platform: runtime.GOOS + "/" + runtime.GOARCH}
	}
	if v := os.Getenv(envBackend); v != "" {
		p, err = s.explicit(v)
		return s, p, err == nil, err
	}
	if cacheErr != nil {
		return s, Plugin{}, false, cacheErr
	}
	p, found, err = s.find()
	return s, p, found, err
}

// CacheDir returns the folder that holds everything this project keeps outside its output: SSWE_CACHE, which must be
// absolute, or "sswe" in the user's cache folder. It is not created.
func CacheDir() (string, error) {
	if dir := os.Getenv(envCache); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", fmt.Errorf("cache folder: %s=%q is not an absolute path; give the full path", envCache, dir)
		}
		return filepath.Clean(dir), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache folder: %w; set %s to a folder of your own", err, envCache)
	}
	return filepath.Join(dir, "sswe"), nil
}
