package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"elastography/beam/flink"
	"elastography/kernel/pjrt"
)

// program is the built command line; clusterDir holds the tests' own cluster.
var program, clusterDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sswe-beam")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program, clusterDir = filepath.Join(dir, "sswe-beam"), filepath.Join(dir, "cluster")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	if _, err := flink.Load(clusterDir); err == nil {
		if out, err := exec.Command(program, "cluster", "stop", "--dir", clusterDir).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "stop the cluster: %v\n%s", err, out)
			code = 1
		}
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// invoke runs the command line and returns what it printed and its exit code.
func invoke(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if ok {
		code = exit.ExitCode()
	}
	return string(out), code
}

// errNoFlink marks what is no fault of ours: no Java, no way to fetch Flink.
var errNoFlink = errors.New("Flink was not tried")

var startCluster = sync.OnceValues(func() (endpoint string, err error) {
	cache, err := pjrt.CacheDir()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if _, err := flink.Assemble(ctx, cache, io.Discard); err != nil {
		return "", fmt.Errorf("%w: %w", errNoFlink, err)
	}
	out, err := exec.Command(program, "cluster", "start", "--dir", clusterDir, "--port", "0").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("start the cluster: %w\n%s", err, out)
	}
	c, err := flink.Load(clusterDir)
	if err != nil {
		return "", err
	}
	return c.Endpoint(), nil
})

// longOnFlink is onFlink but for -short, which has one job on Flink.
func longOnFlink(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("takes minutes: not in -short")
	}
	return onFlink(t)
}

// onFlink returns the arguments that run something on the tests' cluster, or
// skips the test where there can be none.
func onFlink(t *testing.T) []string {
	t.Helper()
	endpoint, err := startCluster()
	if errors.Is(err, errNoFlink) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--runner", "flink", "--endpoint", endpoint}
}

// inodes are the records under a state folder: a record that is written again
// has another one.
func inodes(t *testing.T, state string) map[string]uint64 {
	t.Helper()
	out := map[string]uint64{}
	paths, _ := filepath.Glob(filepath.Join(state, "records", "*.json"))
	for _, path := range paths {
		var s syscall.Stat_t
		if err := syscall.Stat(path, &s); err != nil {
			t.Fatal(err)
		}
		out[path] = s.Ino
	}
	return out
}

// first is the first of some processes, or 0.
func first(pids []string) int {
	if len(pids) == 0 {
		return 0
	}
	pid, _ := strconv.Atoi(pids[0])
	return pid
}

// Whoever is killed, every row is done in the end, and none that was finished
// is done again.
func TestKillsLoseNothingAndRepeatNothing(t *testing.T) {
	const rows = 60
	prism := func(*testing.T) []string { return []string{"--runner", "prism"} }
	for _, c := range []struct {
		name   string
		runner func(*testing.T) []string
		victim func(state string, submitter int) int
	}{
		{"the submitter, which on Prism is all", prism, func(_ string, submitter int) int { return submitter }},
		{"the submitter", longOnFlink, func(_ string, submitter int) int { return submitter }},
		{"a worker", longOnFlink, func(state string, _ int) int { return first(processes(filepath.Join(state, "worker-"))) }},
		{"a TaskManager", longOnFlink, func(string, int) int { return first(processes("=" + filepath.Join(clusterDir, "taskmanager1"))) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := t.TempDir()
			state := filepath.Join(out, "state")
			args := append([]string{"wait", "--rows", fmt.Sprint(rows), "--each", "250ms", "--group", "1", "--shards", "12", "--workers", "1", "--out", out}, c.runner(t)...)
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
			defer cancel()
			run := exec.CommandContext(ctx, program, args...)
			var said bytes.Buffer
			run.Stdout, run.Stderr = &said, &said
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			for len(inodes(t, state)) < rows/4 {
				if ctx.Err() != nil {
					t.Fatalf("nothing happens:\n%s", said.String())
				}
				time.Sleep(20 * time.Millisecond)
			}
			pid := c.victim(state, run.Process.Pid)
			if pid == 0 {
				t.Fatal("nobody to kill")
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			finished := inodes(t, state)
			if len(finished) > rows*3/4 {
				t.Errorf("killed only when %d of %d rows were done", len(finished), rows)
			}
			if err := run.Wait(); err != nil { // else the engine has recovered
				t.Logf("after the kill: %v", err)
				if text, code := invoke(t, args...); code != 0 || !strings.Contains(text, "rows 60") {
					t.Fatalf("the rerun ends with %d:\n%s", code, text)
				}
			}
			after := inodes(t, state)
			again := 0
			for path, inode := range finished {
				if after[path] != inode {
					again++
				}
			}
			t.Logf("%d of %d rows were finished at the kill; %d of them were computed again", len(finished), rows, again)
			if len(after) != rows || again > 0 {
				t.Errorf("%d records of %d rows; %d finished rows computed again", len(after), rows, again)
			}
			if left, _ := filepath.Glob(filepath.Join(state, "tmp", "*")); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestFaultsAreToldInALineAndByTheExitCode(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"wait", "--out", dir, "--runner", "flink", "--endpoint", "127.0.0.1:1"}, "cluster start"},
		{[]string{"wait", "--out", "/proc/none", "--runner", "pool"}, "/proc/none"},
		{[]string{"import", dir + "/none", "--out", dir + "/c"}, dir + "/none"},
		{[]string{"cluster", "status", "--dir", dir + "/none"}, "cluster start"},
	} {
		out, code := invoke(t, c.args...)
		if code != 1 || !strings.Contains(out, c.says) || strings.Count(strings.TrimSpace(out), "\n") > 1 {
			t.Errorf("%v: exit code %d:\n%s", c.args, code, out)
		}
	}
}

// A full disk is told in its own words through every engine, and what is done
// stays.
func TestAFullDiskIsTold(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=400k"); err != nil {
		t.Skipf("a small disk can't be mounted here (needs root): %v", err)
	}
	defer syscall.Unmount(disk, 0)
	for _, runner := range []string{"pool", "prism"} {
		out, code := invoke(t, "wait", "--rows", "500", "--out", filepath.Join(disk, runner), "--runner", runner)
		if code != 1 || !strings.Contains(out, "no space left") || strings.Count(out, "\n") > 20 {
			t.Errorf("%s: exit code %d:\n%s", runner, code, out)
		}
	}
}
