package kernel

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/internal/pip"
	"elastography/kernel/internal/proc"
	"elastography/kernel/internal/progress"
)

//go:embed requirements.lock
var requirements string

// oldestPython is the first minor version of Python 3 that the lock file serves.
const oldestPython = 10

// interpreter is a Python found on this machine.
type interpreter struct {
	Path  string `json:"path"`
	Major int    `json:"major"`
	Minor int    `json:"minor"`
	Patch int    `json:"patch"`
	Venv  bool   `json:"venv"` // whether it can make virtual environments
	Pip   bool   `json:"pip"`
}

func (p interpreter) version() string { return fmt.Sprintf("%d.%d.%d", p.Major, p.Minor, p.Patch) }

// probe is run by the interpreter that is asked about itself.
// In a virtual environment the answer is the interpreter that it was made from, so that all of them share ours.
const probe = `import sys, json, importlib.util as u
print(json.dumps(dict(path=getattr(sys, "_base_executable", "") or sys.executable, major=sys.version_info[0], minor=sys.version_info[1], patch=sys.version_info[2],
    venv=bool(u.find_spec("venv") and u.find_spec("ensurepip")), pip=bool(u.find_spec("pip")))))`

func findPython(ctx context.Context) (interpreter, error) {
	path, err := pip.Python()
	if err != nil {
		return interpreter{}, fmt.Errorf("Python environment: %w", err)
	}
	out, err := proc.Command(ctx, path, "-c", probe).Output()
	var p interpreter
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	if err != nil {
		return p, fmt.Errorf("Python environment: ask %s for its version: %w; set %s to a working Python 3.%d or later", path, err, pip.EnvPython, oldestPython)
	}
	if p.Major != 3 || p.Minor < oldestPython {
		return p, fmt.Errorf("Python environment: %s is Python %s; install Python 3.%d or later, or set %s to one", path, p.version(), oldestPython, pip.EnvPython)
	}
	return p, nil
}

// pythonDir is where the environment for an interpreter lies. Its name carries all that its content depends on.
func pythonDir(cache string, p interpreter) string {
	return filepath.Join(cache, "python", fmt.Sprintf("%d.%d-%s", p.Major, p.Minor, short(requirements, p.Path)))
}

// ensurePython returns the interpreter of the private environment, installing it from the lock file when it is not there.
func ensurePython(ctx context.Context, cache string, w io.Writer) (string, error) {
	p, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	dir := pythonDir(cache, p)
	python := filepath.Join(dir, "bin", "python")
	what := "Python environment"
	if _, err := os.Stat(python); err != nil { // also where the interpreter that it links to has gone
		_ = os.Remove(filepath.Join(dir, ".complete"))
	}
	return python, cachedir.Build(ctx, dir, what, w, func() error {
		step := fmt.Sprintf("%s: installing JupyterLab and nbclient for Python %s", what, p.version())
		return progress.Step(w, step, 30*time.Second, func() error { return installPython(ctx, p, dir, w) })
	})
}

func installPython(ctx context.Context, p interpreter, dir string, w io.Writer) error {
	out, err := proc.Command(ctx, p.Path, "-m", "venv", dir).CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("Python environment: %s cannot make a virtual environment in %s (%s); install its venv module (Debian, Ubuntu: apt install python3-venv) or set %s to another interpreter",
			p.Path, dir, tail(string(out), 1), pip.EnvPython)
	}
	lock := filepath.Join(dir, "requirements.lock")
	if err := os.WriteFile(lock, []byte(requirements), 0o644); err != nil {
		return cachedir.Explain("Python environment: write the lock file", lock, err)
	}
	// pip's own cache, kept only while unfinished: a killed installation fetches nothing twice.
	fetched := dir + ".pip"
	total := strings.Count(requirements, "==")
	err = pip.Run(ctx, filepath.Join(dir, "bin", "python"), []string{"PIP_CACHE_DIR=" + fetched}, &countLines{w: w, total: total},
		"install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--progress-bar=off", "--retries=2", "-r", lock)
	if err == nil {
		_ = os.RemoveAll(fetched)
		return nil
	}
	remedy := "see the message"
	switch {
	case ctx.Err() != nil:
		remedy = "run again to go on"
	case pip.Is(err, pip.Offline):
		remedy = fmt.Sprintf("connect and run again, or set %s to a cache folder copied from a machine that has it", cachedir.EnvCache)
	case pip.Is(err, pip.WrongHash):
		remedy = "nothing was installed; check the index or mirror that pip is configured with (python3 -m pip config list)"
	case pip.Is(err, pip.NotServed):
		remedy = fmt.Sprintf("point pip at an index that has it, or set %s to another Python (3.10 to 3.13 are tested)", pip.EnvPython)
	case pip.Is(err, pip.DiskFull), pip.Is(err, pip.Unwritable):
		remedy = fmt.Sprintf("it needs 300 MB; free some, or set %s to another folder", cachedir.EnvCache)
	}
	return fmt.Errorf("Python environment: install into %s: %w; %s", dir, err, remedy)
}

// countLines turns pip's "Collecting x" lines into progress lines.
type countLines struct {
	w     io.Writer
	total int // packages in the lock file, of which markers leave some out
	seen  int
}

func (c *countLines) Write(b []byte) (int, error) {
	const every = 20
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "Collecting ") {
			continue
		}
		if c.seen++; c.seen%every == 0 {
			fmt.Fprintf(c.w, "Python environment: %d of at most %d packages fetched\n", c.seen, c.total)
		}
	}
	return len(b), nil
}

// tail returns the last n lines of s that say something.
func tail(s string, n int) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
