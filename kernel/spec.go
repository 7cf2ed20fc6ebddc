package kernel

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"elastography/kernel/internal/cachedir"
)

// Folders of a checkout's private part of the cache.
func (e *Env) jupyterPath() string { return filepath.Join(e.private, "jupyter") }
func (e *Env) specDir() string     { return filepath.Join(e.jupyterPath(), "kernels", Name) }
func (e *Env) shimDir() string     { return filepath.Join(e.private, "bin") }
func (e *Env) recipeDir() string   { return filepath.Join(e.private, "cells") }

// writeSpec writes the kernel spec and what it starts. Jupyter finds it through JUPYTER_PATH, and any other front end can be
// pointed at it: the launcher carries the whole environment.
func (e *Env) writeSpec() error {
	gopls, err := e.goplsDir()
	if err != nil {
		return err
	}
	spec, err := json.MarshalIndent(map[string]any{
		"argv":           []string{"sh", "{resource_dir}/launch.sh", "{connection_file}"},
		"display_name":   DisplayName,
		"language":       "go",
		"interrupt_mode": "message",
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("notebook kernel: write the kernel spec: %w", err)
	}
	for _, f := range []struct {
		name, text string
		mode       os.FileMode
	}{
		{filepath.Join(e.specDir(), "kernel.json"), string(spec) + "\n", 0o644},
		{filepath.Join(e.specDir(), "launch.sh"), e.launcher(gopls), 0o755},
		{filepath.Join(e.shimDir(), "go"), e.goShim(), 0o755},
		{filepath.Join(e.configDir(), "labconfig", "default_setting_overrides.json"), labSettings, 0o644},
	} {
		if err := cachedir.WriteFile(f.name, []byte(f.text), f.mode); err != nil {
			return cachedir.Explain("notebook kernel: write the kernel spec", f.name, err)
		}
	}
	return nil
}

// launcher is the script that Jupyter starts a kernel with. GOMLX_BACKEND may be chosen from outside; nothing else has to be.
// A headless run completes nothing and goes without gopls, which takes 100 MB and more; elsewhere gopls keeps its own cache here.
func (e *Env) launcher(goplsDir string) string {
	return fmt.Sprintf(`#!/bin/sh
# Starts a kernel for the checkout below. Written by package kernel; changes are overwritten.
export SSWE_ROOT=%s
export SSWE_CACHE=%s
export GOPLSCACHE=%s
[ -n "$SSWE_HEADLESS" ] || PATH=%s:"$PATH"
export PATH=%s:%s:"$PATH"
export GOFLAGS=%s
export GOPROXY=off GOWORK=
[ -n "$GOMLX_BACKEND" ] || GOMLX_BACKEND=%s
export GOMLX_BACKEND GOMLX_NO_AUTO_INSTALL=1
exec gonb --kernel "$1" -raw_error -go_work="$SSWE_ROOT" 2>>"${SSWE_KERNEL_LOG:-/dev/null}"
`, quote(e.Root), quote(e.Cache), quote(filepath.Join(e.private, "gopls")), quote(goplsDir), quote(e.shimDir()), quote(e.tools), quote(cellGoFlags()), quote(e.Plugin.Backend()))
}

// cellGoFlags makes cells link fast: a cell is a new program at each run, and linking is most of its time. The internal linker
// and leaving out the symbol tables halve it; line numbers in panics survive.
func cellGoFlags() string {
	flags := "-s -w"
	if runtime.GOOS == "linux" {
		flags += " -linkmode=internal"
	}
	return "'-ldflags=" + flags + "'"
}

// goShim stands in for the go command in front of gonb. gonb runs a bare `go get` before it compiles a cell, which would ask the
// network about every import; the workspace has them all. A cell with the launcher's flags is built by package cellbuild. A build collects
// no garbage below half a gigabyte, which takes a seventh off its CPU time; the cell's own program is started by gonb and keeps its
// settings. The rest goes to the real command.
func (e *Env) goShim() string {
	return fmt.Sprintf(`#!/bin/sh
# Written by package kernel; changes are overwritten.
case "$*" in
"get" | "get -t") exit 0 ;;
"build "*)
	export GOGC=off GOMEMLIMIT=512MiB
	[ "$GOFLAGS" != %s ] || exec %s %s %s %s "$@"
	;;
esac
exec %s "$@"
`, quote(cellGoFlags()), quote(filepath.Join(e.tools, "cellbuild")), quote(e.goTool), quote(e.Root), quote(e.recipeDir()), quote(e.goTool))
}

// quote makes s one word of a shell script.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (e *Env) configDir() string { return filepath.Join(e.private, "config") }

// jupyterEnv is the environment for Jupyter's programs: the kernel spec is found, and every file of Jupyter, IPython and
// Python stays in private folders. tmp is a short folder for what lives only as long as the process.
func (e *Env) jupyterEnv(tmp string) []string {
	env := os.Environ()
	env = append(env,
		"JUPYTER_PATH="+e.jupyterPath(),
		"JUPYTER_CONFIG_DIR="+e.configDir(),
		"JUPYTER_CONFIG_PATH=",
		"JUPYTER_DATA_DIR="+filepath.Join(e.private, "data"),
		"JUPYTER_RUNTIME_DIR="+filepath.Join(tmp, "runtime"),
		"IPYTHONDIR="+filepath.Join(e.private, "ipython"),
		"PYTHONNOUSERSITE=1", "PYTHONPATH=", "PYTHONHOME=", "PYTHONUNBUFFERED=1",
		"PYTHONDONTWRITEBYTECODE=", "PYTHONPYCACHEPREFIX=", // bytecode is kept in the private environment: it halves the start
		"TMPDIR="+tmp,
		"GOMLX_BACKEND="+e.Plugin.Backend(),
		"SSWE_KERNEL_LOG="+filepath.Join(tmp, "kernel.log"),
	)
	return env
}

// longestTempDir leaves room for gonb's folder and gopls's socket in it.
const longestTempDir = 60

// tempDir makes a private folder with a short path: gopls's socket lies in it, and sockets allow some 100 characters.
func tempDir() (string, error) {
	parent := os.TempDir()
	if len(parent) > longestTempDir {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "sswe-")
	if err != nil {
		return "", fmt.Errorf("notebook kernel: make a temporary folder: %w; set TMPDIR to a writable folder", err)
	}
	return dir, nil
}
