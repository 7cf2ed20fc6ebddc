// Package pip runs the user's own pip, with the index, proxy and certificate settings it is configured with, and tells its
// failures apart. It never names an index.
package pip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"elastography/kernel/internal/proc"
)

// EnvPython names the interpreter to use instead of python3.
const EnvPython = "SSWE_PYTHON"

// Reason is why pip failed, as far as its output tells.
type Reason int

const (
	Unknown    Reason = iota
	Offline           // the index could not be reached
	WrongHash         // what the index serves is not what was pinned
	NotServed         // the index has no such file for this machine
	DiskFull          // no space left
	Unwritable        // read-only or forbidden folder
)

// Error is a failed pip run.
type Error struct {
	Reason Reason
	Detail string // pip's own words, one line
}

func (e *Error) Error() string {
	switch e.Reason {
	case Offline:
		return "pip cannot reach its package index (" + e.Detail + ")"
	case WrongHash:
		return "the package index serves other bytes than those pinned: SHA-256 differs (" + e.Detail + ")"
	case NotServed:
		return "the package index that pip is configured with has no such file for this machine (" + e.Detail + ")"
	case DiskFull:
		return "the disk is full (" + e.Detail + ")"
	case Unwritable:
		return "the folder cannot be written (" + e.Detail + ")"
	}
	return "pip failed (" + e.Detail + ")"
}

// Is reports whether err is a pip failure for the given reason.
func Is(err error, r Reason) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == r
}

// Python returns the interpreter to use: SSWE_PYTHON, or python3 on PATH.
func Python() (string, error) {
	name := os.Getenv(EnvPython)
	if name == "" {
		name = "python3"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not there (%w); install Python 3.10 to 3.13, or set %s to an interpreter", name, err, EnvPython)
	}
	return path, nil
}

// WithPip returns an interpreter that has pip: python itself or, where a distribution left pip out, one of a virtual
// environment made in the folder scratch.
func WithPip(ctx context.Context, python, scratch string) (string, error) {
	if proc.Command(ctx, python, "-m", "pip", "--version").Run() == nil {
		return python, nil
	}
	out, err := proc.Command(ctx, python, "-m", "venv", scratch).CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("%s has neither pip nor a working venv module (%s); install them (Debian, Ubuntu: apt install python3-venv; Fedora: dnf install python3-pip) or set %s to another interpreter",
			python, lastLine(out, err), EnvPython)
	}
	return scratch + "/bin/python", nil
}

// Run runs `python -m pip args…` with env added to the environment. Its output goes to out, and a failure is an [*Error].
func Run(ctx context.Context, python string, env []string, out io.Writer, args ...string) error {
	var log bytes.Buffer
	cmd := proc.Command(ctx, python, append([]string{"-m", "pip", "--no-input", "--disable-pip-version-check"}, args...)...)
	cmd.Env = append(append(os.Environ(), "PYTHONUNBUFFERED=1"), env...)
	cmd.Stdout = io.MultiWriter(&log, out)
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return newError(log.Bytes(), err)
	}
	return nil
}

// reasons are looked for in this order: a broken connection also ends in "no matching distribution".
var reasons = []struct {
	Reason
	pattern *regexp.Regexp
}{
	{DiskFull, regexp.MustCompile(`No space left on device|Disk quota exceeded`)},
	{Unwritable, regexp.MustCompile(`Read-only file system|Permission denied`)},
	{WrongHash, regexp.MustCompile(`DO NOT MATCH THE HASHES|HashMismatch`)},
	{Offline, regexp.MustCompile(`after connection broken|NewConnectionError|ConnectTimeout|Read timed out|ProxyError|SSLError|Max retries exceeded|name resolution|Network is unreachable|IncompleteRead|ConnectionResetError`)},
	{NotServed, regexp.MustCompile(`No matching distribution found|Could not find a version`)},
}

// cause is how pip words the failure of the system below it.
var cause = regexp.MustCompile(`\[Errno -?\d+\] ([^'")\n]+)`)

// newError tells from pip's output why it failed: err is its exit status.
func newError(log []byte, err error) *Error {
	e := &Error{Detail: lastLine(log, err)}
	for _, r := range reasons {
		if r.pattern.Match(log) {
			e.Reason = r.Reason
			break
		}
	}
	if e.Reason == Offline { // pip ends in "no matching distribution", which is not the point
		if m := cause.FindSubmatch(log); m != nil {
			e.Detail = strings.TrimSpace(string(m[1]))
		}
	}
	return e
}

// lastLine returns pip's last line that says ERROR, else its last line, else err.
func lastLine(out []byte, err error) string {
	last, lastError := "", ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "[notice]") {
			continue
		}
		last = line
		if _, msg, ok := strings.Cut(line, "ERROR: "); ok {
			lastError = msg
		}
	}
	for _, s := range []string{lastError, last} {
		if s != "" {
			const most = 200
			if len(s) > most {
				s = s[:most] + "…"
			}
			return strings.ToValidUTF8(s, "")
		}
	}
	return err.Error()
}
