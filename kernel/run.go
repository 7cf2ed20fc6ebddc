package kernel

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/internal/proc"
	"elastography/kernel/ipynb"
)

//go:embed run_notebook.py
var runNotebook string

// stopGrace is how long a cancelled run may take to stop: a cell has five seconds to save its work, and its kernel ten to end.
const stopGrace = 30 * time.Second

// RunOptions says how to run a notebook.
type RunOptions struct {
	Params      map[string]string // new values for what the cell tagged "parameters" declares
	Dir         string            // working folder of the cells; that of the notebook if empty
	Env         map[string]string // added to the cells' environment
	CellTimeout time.Duration     // for each cell; none if zero
	HTML        bool              // also write the executed notebook as a self-contained page beside it
	Progress    io.Writer         // a line for every cell; may be nil
}

// RunReport tells how a run went; after a failure, as far as it came.
type RunReport struct {
	Cells    []CellReport  // code cells that were run, in order
	Duration time.Duration // of the whole run, the kernel's start included
	HTMLPath string        // empty without RunOptions.HTML
}

// CellReport tells how a code cell went.
type CellReport struct {
	Index    int           // position in the notebook, from 0
	Duration time.Duration // compiling, linking and running
	OK       bool
}

// CellError is the failure of a cell. Compile errors, panics, exits with a code, failing shell lines, unknown special commands
// and time-outs are failures alike.
type CellError struct {
	Notebook string
	Index    int    // position in the notebook, from 0
	Line     string // the line that failed or, where that is not told, the first that says what the cell does
	Kind     string // "error", "timeout", "shell", "magic" or "dead"
	Message  string // the last lines of what the cell said
	Executed string // the notebook as executed so far
}

func (e *CellError) Error() string {
	return fmt.Sprintf("notebook %s: cell %d (%s) failed: %s\n(executed so far: %s)", e.Notebook, e.Index+1, e.Line, e.Message, e.Executed)
}

// cellEvent is a line from run_notebook.py.
type cellEvent struct {
	Event   string  `json:"event"` // "start", "cell" or "done"
	Index   int     `json:"index"`
	Seconds float64 `json:"seconds"`
	Status  string  `json:"status"`
	Kind    string  `json:"kind"`
	Message string  `json:"message"`
}

// RunNotebook executes the notebook in, cell by cell in a fresh kernel, and writes the executed notebook to out. It stops at the
// first failing cell with a [*CellError]; out is then left as it was and what was executed lies beside it, with ".failed" in its
// name. When ctx ends, the running cell is interrupted, gets five seconds, and the kernel with all its children is ended.
func (e *Env) RunNotebook(ctx context.Context, in, out string, opt RunOptions) (*RunReport, error) {
	start := time.Now()
	if opt.Progress == nil {
		opt.Progress = io.Discard
	}
	failed := func(err error) (*RunReport, error) { return nil, fmt.Errorf("notebook %s: %w", in, err) }
	data, err := os.ReadFile(in)
	if err != nil {
		return failed(err)
	}
	nb, err := ipynb.Parse(data)
	if err != nil {
		return failed(err)
	}
	if err := nb.SetParameters(opt.Params); err != nil {
		return failed(err)
	}
	if data, err = nb.Bytes(); err != nil {
		return failed(err)
	}
	if opt.Dir == "" {
		opt.Dir = filepath.Dir(in)
	}
	if opt.Dir, err = filepath.Abs(opt.Dir); err != nil {
		return failed(err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return failed(fmt.Errorf("make the output folder: %w; choose another", err))
	}
	tmp, err := tempDir()
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(tmp)

	run := notebookRun{env: e, nb: nb, name: filepath.Base(in), tmp: tmp, opt: opt, report: &RunReport{}}
	err = run.execute(ctx, data)
	run.report.Duration = time.Since(start)
	var cell *CellError
	if errors.As(err, &cell) {
		cell.Executed = strings.TrimSuffix(out, ".ipynb") + ".failed.ipynb"
		if copyErr := copyFile(run.executed(), cell.Executed); copyErr != nil {
			return run.report, errors.Join(err, copyErr)
		}
		return run.report, err
	}
	if err != nil {
		return run.report, fmt.Errorf("notebook %s: %w", in, err)
	}
	if opt.HTML {
		run.report.HTMLPath = strings.TrimSuffix(out, ".ipynb") + ".html"
		if err := copyFile(run.html(), run.report.HTMLPath); err != nil {
			return run.report, fmt.Errorf("notebook %s: %w", in, err)
		}
	}
	if err := copyFile(run.executed(), out); err != nil {
		return run.report, fmt.Errorf("notebook %s: %w", in, err)
	}
	_ = os.Remove(strings.TrimSuffix(out, ".ipynb") + ".failed.ipynb") // of an earlier run
	return run.report, nil
}

// notebookRun is one run under way.
type notebookRun struct {
	env    *Env
	nb     *ipynb.Notebook
	name   string
	tmp    string // everything unfinished; also the temporary folder of the kernel and its cells
	opt    RunOptions
	report *RunReport
}

func (r *notebookRun) input() string    { return filepath.Join(r.tmp, "in.ipynb") }
func (r *notebookRun) executed() string { return filepath.Join(r.tmp, "out.ipynb") }
func (r *notebookRun) html() string     { return filepath.Join(r.tmp, "out.html") }

func (r *notebookRun) execute(ctx context.Context, source []byte) error {
	if err := os.WriteFile(r.input(), source, 0o644); err != nil {
		return fmt.Errorf("write the parameters: %w; set TMPDIR to a folder with space", err)
	}
	task := map[string]any{"in": r.input(), "out": r.executed(), "html": "", "tmp": r.tmp, "dir": r.opt.Dir, "kernel": Name, "kernel_display": DisplayName,
		"cell_timeout_s": r.opt.CellTimeout.Seconds(), "title": strings.TrimSuffix(r.name, ".ipynb")}
	if r.opt.HTML {
		task["html"] = r.html()
	}
	line, err := json.Marshal(task)
	if err != nil {
		return err
	}
	script := filepath.Join(r.tmp, "run_notebook.py")
	if err := os.WriteFile(script, []byte(runNotebook), 0o644); err != nil {
		return fmt.Errorf("write the runner: %w; set TMPDIR to a folder with space", err)
	}
	cmd := proc.Command(ctx, r.env.Python, script)
	proc.Graceful(cmd, stopGrace)
	cmd.Env = append(r.env.jupyterEnv(r.tmp), "SSWE_HEADLESS=1")
	for k, v := range r.opt.Env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe() // left open: its end tells the script that this process is gone
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w; delete %s and run again", r.env.Python, err, filepath.Dir(filepath.Dir(r.env.Python)))
	}
	if _, err := stdin.Write(append(line, '\n')); err != nil {
		_ = cmd.Process.Kill()
	}
	failure, done := r.follow(stdout)
	err = cmd.Wait()
	proc.Reap(cmd)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failure != nil:
		return failure
	case err != nil || !done:
		return fmt.Errorf("nbclient gave up: %s", r.excuse(err, stderr.String()))
	}
	return nil
}

// excuse gathers what is known when the script itself failed.
func (r *notebookRun) excuse(err error, stderr string) string {
	words := tail(stderr, 3)
	if log, readErr := os.ReadFile(filepath.Join(r.tmp, "kernel.log")); readErr == nil {
		words += "\nkernel: " + tail(string(log), 3)
	}
	var exit *exec.ExitError
	if words == "" && errors.As(err, &exit) {
		words = exit.String()
	}
	return words
}

// follow reads the script's events, reports progress, and returns the failure of a cell, if any.
func (r *notebookRun) follow(events io.Reader) (failure *CellError, done bool) {
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var ev cellEvent
		if json.Unmarshal(lines.Bytes(), &ev) != nil || ev.Index < 0 || ev.Index >= max(1, r.nb.Len()) {
			continue // not ours
		}
		switch ev.Event {
		case "cell":
			took := time.Duration(ev.Seconds * float64(time.Second))
			ok := ev.Status == "ok"
			r.report.Cells = append(r.report.Cells, CellReport{Index: ev.Index, Duration: took, OK: ok})
			fmt.Fprintf(r.opt.Progress, "%s: cell %d of %d, %s, %.1f s\n", r.name, ev.Index+1, r.nb.Len(), ev.Status, took.Seconds())
			if !ok {
				failure = &CellError{Notebook: r.name, Index: ev.Index, Line: failingLine(r.nb.Source(ev.Index), ev.Message, len(r.report.Cells)), Kind: ev.Kind, Message: tail(ev.Message, 12)}
			}
		case "done":
			done = true
		}
	}
	return failure, done
}

// place is how gonb tells where in a cell something went wrong; cells are numbered as they were executed.
var place = regexp.MustCompile(`Cell ?\[(\d+)\]:? Line (\d+)`)

// failingLine is the line of a cell that its message points at or, where it points nowhere, the first that says what the cell
// does. nth is the cell's number among those executed, from 1.
func failingLine(source, message string, nth int) string {
	line := ipynb.FirstStatement(source)
	lines := strings.Split(source, "\n")
	for _, m := range place.FindAllStringSubmatch(message, -1) {
		cell, _ := strconv.Atoi(m[1])
		if at, _ := strconv.Atoi(m[2]); cell == nth && at >= 1 && at <= len(lines) {
			line = strings.TrimSpace(lines[at-1])
			break
		}
	}
	const most = 60
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}

// copyFile puts a finished file in its place atomically.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := cachedir.WriteFile(to, data, 0o644); err != nil {
		return fmt.Errorf("write %s: %w; check the output folder and its free space", to, err)
	}
	return nil
}
