package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// testEnv is the environment that the program itself uses; the first test to ask waits for its installation.
func testEnv(t *testing.T) *Env {
	t.Helper()
	e, err := Setup(t.Context(), "..", os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// shortTemp is a temporary folder with a path short enough to be used as it is.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "k")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestSettingUpAgainDoesNothingAndIsQuick(t *testing.T) {
	testEnv(t)
	quickest := time.Hour
	for range 5 { // the machine may be busy with other tests
		start := time.Now()
		var said strings.Builder
		if _, err := Setup(t.Context(), "..", &said); err != nil || said.Len() > 0 {
			t.Fatalf("%v: %s", err, said.String())
		}
		quickest = min(quickest, time.Since(start))
	}
	if quickest > 3*time.Second { // well under one where nothing else runs
		t.Errorf("took %s", quickest)
	}
}

func TestANotebookImportsTheCheckoutAndTakesParameters(t *testing.T) {
	e := testEnv(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "deep", "passes.ipynb")
	var progress strings.Builder
	r, err := e.RunNotebook(t.Context(), "testdata/passes.ipynb", out, RunOptions{
		Params: map[string]string{"planes": "7", "organ": "thyroid"}, Env: map[string]string{"TEACHER": "Ada"},
		Dir: dir, HTML: true, Progress: &progress, CellTimeout: 5 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cells) != 2 || !r.Cells[0].OK || !r.Cells[1].OK || r.Cells[1].Duration <= 0 || r.Duration < r.Cells[1].Duration {
		t.Errorf("report %+v", r)
	}
	if !strings.Contains(progress.String(), "passes.ipynb: cell 3 of 3, ok") {
		t.Errorf("progress %q", progress.String())
	}
	page, err := os.ReadFile(r.HTMLPath)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<script") {
		t.Error("the page has scripts, which as a rule come from outside")
	}
	executed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := "thyroid 7 " + e.Plugin.Name + " true <nil> Ada"
	for what, text := range map[string]string{"page": string(page), "notebook": string(executed)} {
		if !strings.Contains(strings.ReplaceAll(text, "&lt;nil&gt;", "<nil>"), want) {
			t.Errorf("the %s does not show %q", what, want)
		}
	}
	var nb struct {
		Metadata struct {
			Kernelspec struct{ Name string }
		}
	}
	if err := json.Unmarshal(executed, &nb); err != nil || nb.Metadata.Kernelspec.Name != Name {
		t.Errorf("kernel %q, %v", nb.Metadata.Kernelspec.Name, err)
	}
}

func TestEveryWayToFailFailsTheRunAndNamesTheCell(t *testing.T) {
	e := testEnv(t)
	for _, c := range []struct {
		notebook, kind string
		index          int
		line, says     string
	}{
		{"broken", "error", 1, `fmt.Println("a sentence without an end"`, "missing ','"},
		{"compile_error", "error", 1, "fmt.Println(undeclared)", "undefined: undeclared"},
		{"panics", "error", 0, `panic("stiffness below zero")`, "stiffness below zero"},
		{"trickles", "error", 0, "stop() // here", "exit now"}, // a stack trace that is written piece by piece
		{"exits", "error", 0, "func main() {", "exit status 3"},
		{"shell", "shell", 0, "!echo fine; false", "exit status 1"},
		{"script", "shell", 0, "%%bash", "exit status 1"},
		{"magic", "magic", 0, "%frobnicate", "%frobnicate"},
		{"slow", "timeout", 0, "", "no end after 2 s"},
	} {
		t.Run(c.notebook, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out.ipynb")
			if err := os.WriteFile(out, []byte("earlier"), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := e.RunNotebook(t.Context(), "testdata/"+c.notebook+".ipynb", out, RunOptions{CellTimeout: timeoutFor(c.kind)})
			var failure *CellError
			if !errors.As(err, &failure) {
				t.Fatalf("%v", err)
			}
			if failure.Kind != c.kind || failure.Index != c.index || !strings.Contains(failure.Message, c.says) {
				t.Errorf("%+v", failure)
			}
			if c.line != "" && failure.Line != c.line {
				t.Errorf("the failing line is told to be %q", failure.Line)
			}
			if text := err.Error(); !strings.Contains(text, c.notebook+".ipynb") || !strings.Contains(text, "cell ") {
				t.Errorf("the error does not name notebook and cell: %s", text)
			}
			if n := len(r.Cells); n != c.index+1 || r.Cells[n-1].OK {
				t.Errorf("cells %+v", r.Cells)
			}
			if data, err := os.ReadFile(out); err != nil || string(data) != "earlier" {
				t.Errorf("the earlier result is gone: %q, %v", data, err)
			}
			if _, err := os.Stat(failure.Executed); err != nil {
				t.Errorf("what was executed is not there: %v", err)
			}
		})
	}
}

func timeoutFor(kind string) time.Duration {
	if kind == "timeout" {
		return 2 * time.Second
	}
	return 5 * time.Minute // the first cell links cold, and other packages' tests run meanwhile
}

func TestUnknownParametersAndMissingNotebooksAreNamed(t *testing.T) {
	e := testEnv(t)
	_, err := e.RunNotebook(t.Context(), "testdata/passes.ipynb", t.TempDir()+"/out.ipynb", RunOptions{Params: map[string]string{"plane": "7"}})
	if err == nil || !strings.Contains(err.Error(), `"plane"`) || !strings.Contains(err.Error(), "planes, organ") {
		t.Errorf("%v", err)
	}
	if _, err = e.RunNotebook(t.Context(), "testdata/none.ipynb", t.TempDir()+"/out.ipynb", RunOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestAnInterruptedCellMaySaveAndNothingStays(t *testing.T) {
	e := testEnv(t)
	tmp, dir := shortTemp(t), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { waitForFile(filepath.Join(dir, "running")); cancel() }()
	out := filepath.Join(dir, "out.ipynb")
	_, err := e.RunNotebook(ctx, "testdata/saves.ipynb", out, RunOptions{Dir: dir})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "saved")); err != nil {
		t.Errorf("the cell could not save: %v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a result was written: %v", err)
	}
	mustBeGone(t, dir, tmp)
}

// TestHelperRunsANotebook is the process that the next test kills.
func TestHelperRunsANotebook(t *testing.T) {
	dir := os.Getenv("HELPER_DIR")
	if dir == "" {
		t.Skip("run by TestAKilledRunLeavesNoKernelBehind")
	}
	_, err := testEnv(t).RunNotebook(t.Context(), "testdata/saves.ipynb", filepath.Join(dir, "out.ipynb"), RunOptions{Dir: dir})
	t.Fatal("not killed:", err)
}

func TestAKilledRunLeavesNoKernelBehind(t *testing.T) {
	testEnv(t)
	tmp, dir := shortTemp(t), t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperRunsANotebook$")
	cmd.Env = append(os.Environ(), "HELPER_DIR="+dir, "TMPDIR="+tmp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitForFile(filepath.Join(dir, "running"))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	mustBeGone(t, dir, tmp)
}

// waitForFile waits for what a running cell writes; on a busy machine with empty caches the cell is compiled for a minute first.
func waitForFile(name string) {
	for range 6000 {
		if info, err := os.Stat(name); err == nil && info.Size() > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// mustBeGone checks that the cell's program, whose process id it left in dir, and all temporary files are gone soon.
func mustBeGone(t *testing.T, dir, tmp string) {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(dir, "running"))
	if err != nil {
		t.Fatal(err)
	}
	var state, rest string
	for range 600 {
		out, _ := exec.Command("ps", "-o", "stat=", "-p", string(pid)).Output()
		state = strings.TrimSpace(string(out))
		entries, err := os.ReadDir(tmp)
		if err != nil {
			t.Fatal(err)
		}
		rest = ""
		for _, e := range entries {
			rest += " " + e.Name()
		}
		if (state == "" || strings.HasPrefix(state, "Z")) && rest == "" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("after a minute the cell's program is in state %q, and there are still temporary files:%s", state, rest)
}

func TestLabListensOnLoopbackWithATokenAndStopsCleanly(t *testing.T) {
	if testing.Short() {
		t.Skip("starts JupyterLab")
	}
	e := testEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var url string
	refused := 0
	err := e.Lab(ctx, LabOptions{Dir: t.TempDir(), Progress: io.Discard, Ready: func(u string) {
		url = u
		base, _, _ := strings.Cut(u, "lab?")
		if reply, err := http.Get(base + "api/contents"); err == nil {
			refused = reply.StatusCode
			_ = reply.Body.Close()
		}
		cancel()
	}})
	if err != nil {
		t.Fatal(err)
	}
	if refused != http.StatusForbidden {
		t.Errorf("without the token the server answers %d", refused)
	}
	if !strings.HasPrefix(url, "http://127.0.0.1:") || !strings.Contains(url, "lab?token=") {
		t.Errorf("address %q", url)
	}
}
