package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/cpu"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/internal/pip"
	"elastography/kernel/internal/proc"
	"elastography/kernel/internal/progress"
	"elastography/kernel/pjrt"
)

// atFirstUse is the remedy for what is made by itself.
const atFirstUse = "nothing to do: it is made at the first use, which needs a network"

func (e *Env) checkGo(ctx context.Context) Check {
	c := Check{Name: "Go"}
	out, err := goCommand(ctx, e.Root, e.goTool, "version").CombinedOutput()
	c.Found = strings.TrimSpace(string(out))
	if err != nil {
		c.Level, c.Remedy = LevelFail, "install Go 1.26 or later and put it on PATH"
	}
	return c
}

func (e *Env) checkC(ctx context.Context) Check {
	c := Check{Name: "C compiler"}
	out, err := goCommand(ctx, e.Root, e.goTool, "env", "CC", "CGO_ENABLED").Output()
	words := strings.Fields(string(out))
	if err == nil && len(words) >= 2 {
		c.Found = strings.Join(words[:len(words)-1], " ")
		_, err = exec.LookPath(words[0])
		if enabled := words[len(words)-1]; err == nil && enabled != "1" {
			err = fmt.Errorf("CGO_ENABLED=%s", enabled)
		}
	}
	if err != nil {
		c.Level, c.Found = LevelFail, fmt.Sprintf("%s: %v", c.Found, err)
		c.Remedy = "GoMLX reaches XLA through C: install gcc or clang (Debian, Ubuntu: apt install gcc libc6-dev), and leave CGO_ENABLED alone"
	}
	return c
}

func checkPython(p interpreter, err error) Check {
	c := Check{Name: "Python"}
	if err != nil {
		c.Level, c.Found, c.Remedy = LevelFail, err.Error(), "the notebooks and the first fetch of the XLA plugin need it"
		return c
	}
	c.Found = fmt.Sprintf("%s at %s, pip %s, venv %s", p.version(), p.Path, yes(p.Pip), yes(p.Venv))
	if !p.Venv {
		c.Level, c.Remedy = LevelFail, fmt.Sprintf("install its venv module (Debian, Ubuntu: apt install python3-venv) or set %s to another interpreter", pip.EnvPython)
	}
	return c
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func checkPlugin() Check {
	c := Check{Name: "XLA plugin"}
	p, found, err := pjrt.Find()
	switch {
	case err != nil:
		c.Level, c.Found, c.Remedy = LevelFail, err.Error(), "see the message"
	case !found:
		c.Level, c.Found, c.Remedy = LevelWarn, "not there yet", atFirstUse
	case p.SHA256 == "":
		c.Found = fmt.Sprintf("%s, chosen by GOMLX_BACKEND=%s (not one of ours, not checked)", p.Name, p.Backend())
	default:
		c.Found = fmt.Sprintf("%s %s, PJRT API %s, %s, by %s; SHA-256 %s as pinned; %s", p.Name, p.Version, p.PJRTAPI, p.License, p.Publisher, p.SHA256, p.Path)
	}
	return c
}

func (e *Env) checkPythonEnv(p interpreter) Check {
	c := Check{Name: "Jupyter", Found: pythonDir(e.Cache, p)}
	if !cachedir.Complete(c.Found) {
		c.Level, c.Found, c.Remedy = LevelWarn, "not there yet", atFirstUse
	}
	return c
}

func (e *Env) checkTools() Check {
	c := Check{Name: "gonb"}
	key, err := e.buildKey()
	if err != nil {
		c.Level, c.Found, c.Remedy = LevelFail, err.Error(), "restore go.mod and go.sum (git checkout)"
		return c
	}
	if c.Found = filepath.Join(e.Cache, "tools", key, "gonb"); !cachedir.Complete(filepath.Dir(c.Found)) {
		c.Level, c.Found, c.Remedy = LevelWarn, "not there yet", atFirstUse
	}
	return c
}

func (e *Env) checkSpec() Check {
	c := Check{Name: "kernel " + DisplayName, Found: filepath.Join(e.specDir(), "kernel.json")}
	if _, err := os.Stat(c.Found); errors.Is(err, fs.ErrNotExist) {
		c.Level, c.Found, c.Remedy = LevelWarn, "not there yet", atFirstUse
	}
	return c
}

func (e *Env) checkGopls() Check {
	c := Check{Name: "completion (gopls)"}
	dir, err := e.goplsDir()
	if c.Found = dir; err != nil || !cachedir.Complete(dir) {
		c.Level, c.Found, c.Remedy = LevelWarn, "not there yet", "nothing to do: it is built when JupyterLab is first opened, which needs a network"
	}
	return c
}

func checkCache(dir string, err error) Check {
	c := Check{Name: "cache"}
	if err == nil {
		c.Found = fmt.Sprintf("%s, %s", dir, humanize.Bytes(uint64(progress.TreeBytes(dir))))
		err = writable(dir)
	}
	if err != nil {
		c.Level, c.Found = LevelFail, err.Error()
		c.Remedy = fmt.Sprintf("make the folder writable, or set %s to one of your own", cachedir.EnvCache)
	}
	return c
}

// writable tries the nearest folder upwards that exists.
func writable(dir string) error {
	f, err := os.CreateTemp(existing(dir), ".sswe-*")
	if err != nil {
		return err
	}
	_ = f.Close()
	return os.Remove(f.Name())
}

func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// What the whole study takes at its default size.
const (
	wantDiskBytes   = 3 << 30
	wantMemoryBytes = 7 << 30 // a machine sold as 8 GiB
)

func checkDisk(dir string) Check {
	c := Check{Name: "disk space"}
	free, err := freeBytes(existing(dir))
	if err != nil {
		c.Level, c.Found = LevelWarn, "unknown: "+err.Error()
		return c
	}
	c.Found = humanize.IBytes(free) + " free for the cache"
	if free < wantDiskBytes {
		c.Level, c.Remedy = LevelWarn, fmt.Sprintf("3 GiB are needed from an empty cache: free some, or set %s to a folder on another disk", cachedir.EnvCache)
	}
	return c
}

func checkMemory() Check {
	c := Check{Name: "memory"}
	total, err := memoryBytes()
	if err != nil {
		c.Level, c.Found = LevelWarn, "unknown: "+err.Error()
		return c
	}
	c.Found = humanize.IBytes(total)
	if total < wantMemoryBytes {
		c.Level, c.Remedy = LevelWarn, "the default study is measured with 8 GiB: use --preset workshop or smoke"
	}
	return c
}

func checkCPU() Check {
	c := Check{Name: "CPU", Found: fmt.Sprintf("%d × %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)}
	if runtime.GOARCH == "amd64" {
		c.Found += fmt.Sprintf(", AVX2 %s, FMA %s", yes(cpu.X86.HasAVX2), yes(cpu.X86.HasFMA))
		if !cpu.X86.HasAVX2 {
			c.Level, c.Remedy = LevelWarn, "training will be several times slower than stated; the pinned XLA plugin is tested with AVX2 only"
		}
	}
	return c
}

func checkGPU(ctx context.Context) Check {
	c := Check{Name: "GPU", Found: "none seen (nvidia-smi is not there); everything runs on the CPU"}
	out, err := proc.Command(ctx, "nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader").Output()
	if err == nil {
		c.Found = tail(string(out), 1) + "; unused unless GOMLX_BACKEND=xla:cuda"
	}
	return c
}
