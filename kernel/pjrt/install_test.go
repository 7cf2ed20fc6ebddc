package pjrt

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakePython stands in for python3: pip "downloads" $WHEELS/<name>.whl as the case at hand demands, and logs each download.
const fakePython = `#!/bin/sh
case "$*" in
"-m pip --version") [ -z "$NO_PIP" ] || exit 1; exit 0 ;;
"-m venv "*) [ -z "$NO_VENV" ] || { echo "Error: ensurepip is not available" >&2; exit 1; }
	mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit 0 ;;
esac
echo download >>"$WHEELS/log"
while [ $# -gt 1 ]; do
	case "$1" in -r) reqs=$2 ;; -d) dir=$2 ;; esac
	shift
done
name=$(sed 's/==.*//' "$reqs")
case "$PIP_CASE" in
offline)
	echo "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')'"
	echo "ERROR: No matching distribution found for $name"; exit 1 ;;
mismatch) echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."; exit 1 ;;
full) echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"; exit 1 ;;
slow) sleep 60 & echo $! >"$WHEELS/pid"; wait; exit 1 ;;
esac
[ -e "$WHEELS/$name.whl" ] || { echo "ERROR: No matching distribution found for $name"; exit 1; }
sleep 0.2
cp "$WHEELS/$name.whl" "$dir/$name.whl" || { echo "ERROR: [Errno 28] No space left on device" >&2; exit 1; }
`

const soText = "\x7fELF, as far as this test is concerned"

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func fakeWheel(name string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{{name + "/plugin.so", soText}, {name + "-1.dist-info/licenses/LICENSE", "a licence"}, {name + "-1.dist-info/RECORD", ""}} {
		w, err := z.Create(f[0])
		if err == nil {
			_, err = io.WriteString(w, f[1])
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func fakePin(name string) pin {
	wheel := fakeWheel(name)
	return pin{name: name, version: "1", platform: "linux/amd64", wheel: name + ".whl", wheelSHA256: hash(wheel), wheelBytes: int64(len(wheel)),
		member: name + "/plugin.so", soSHA256: hash([]byte(soText)), soBytes: int64(len(soText)), publisher: "a test", license: "Apache-2.0", pjrtAPI: "0.0"}
}

func fakeStore(dir string) store {
	return store{dir: filepath.Join(dir, "pjrt"), pins: []pin{fakePin("first-cpu"), fakePin("second-cpu")}, platform: "linux/amd64"}
}

// index puts a fake python3 on PATH whose index serves the named wheels, and returns the folder they lie in.
func index(t *testing.T, names ...string) (wheels string) {
	t.Helper()
	bin := t.TempDir()
	wheels = t.TempDir()
	write(t, filepath.Join(bin, "python3"), fakePython, 0o755)
	for _, name := range names {
		write(t, filepath.Join(wheels, name+".whl"), string(fakeWheel(name)), 0o644)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("WHEELS", wheels)
	t.Setenv("SSWE_PYTHON", "")
	return wheels
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func downloads(t *testing.T, wheels string) int {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(wheels, "log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(log), "download")
}

func TestAFetchedPluginIsFoundAgain(t *testing.T) {
	wheels := index(t, "first-cpu")
	s := fakeStore(t.TempDir())
	if _, found, err := s.find(); found || err != nil {
		t.Fatalf("empty store: found %v, error %v", found, err)
	}
	var said strings.Builder
	p, err := s.install(t.Context(), &said)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(p.Path); err != nil || string(got) != soText {
		t.Errorf("the plugin holds %q, %v", got, err)
	}
	if p.Source != SourceWheel || p.Name != "first-cpu" || p.SHA256 != hash([]byte(soText)) || p.Publisher != "a test" {
		t.Errorf("plugin %+v", p)
	}
	if !strings.Contains(said.String(), "fetching") {
		t.Errorf("progress says only %q", said.String())
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(p.Path), "LICENSE")); err != nil {
		t.Errorf("the licence did not come along: %v", err)
	}
	again, found, err := s.find()
	if !found || err != nil || again.Source != SourceCache || again.Path != p.Path {
		t.Errorf("found again: %+v, %v, %v", again, found, err)
	}
	if n := downloads(t, wheels); n != 1 {
		t.Errorf("%d downloads", n)
	}
	if rest := leftovers(t, s); len(rest) > 0 {
		t.Errorf("left behind: %v", rest)
	}
}

// leftovers lists what is neither an installed plugin nor the lock.
func leftovers(t *testing.T, s store) (rest []string) {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "lock" && s.verifyFolder(e.Name()) != nil {
			rest = append(rest, e.Name())
		}
	}
	return rest
}

func (s store) verifyFolder(name string) error {
	for _, p := range s.pins {
		if filepath.Base(s.folder(p)) == name {
			return s.verify(p)
		}
	}
	return os.ErrNotExist
}

func TestEachFailureSaysWhatWhereAndTheRemedy(t *testing.T) {
	for _, c := range []struct {
		name, pipCase string
		serve         []string
		prepare       func(t *testing.T, wheels string)
		want          []string
	}{
		{name: "offline", pipCase: "offline", want: []string{"first-cpu 1", "cannot reach its package index", "name resolution", "connect and run again"}},
		{name: "other bytes than pinned, seen by pip", pipCase: "mismatch", want: []string{"SHA-256 differs", "nothing was installed", "pip config list"}},
		{name: "other bytes than pinned, let through by pip", serve: []string{"first-cpu"}, want: []string{"SHA-256 differs", "nothing was installed"},
			prepare: func(t *testing.T, wheels string) { write(t, filepath.Join(wheels, "first-cpu.whl"), "evil", 0o644) }},
		{name: "truncated wheel", serve: []string{"first-cpu"}, want: []string{"SHA-256 differs"},
			prepare: func(t *testing.T, wheels string) {
				write(t, filepath.Join(wheels, "first-cpu.whl"), string(fakeWheel("first-cpu")[:100]), 0o644)
			}},
		{name: "nowhere served", want: []string{"second-cpu", "no such file for this machine", "glibc", "GOMLX_BACKEND=xla:cpu"}},
		{name: "disk full", pipCase: "full", want: []string{"disk is full", "free 400 MB", "SSWE_CACHE"}},
		{name: "no pip and no venv", prepare: func(t *testing.T, _ string) { t.Setenv("NO_PIP", "1"); t.Setenv("NO_VENV", "1") },
			want: []string{"neither pip nor a working venv", "apt install python3-venv"}},
		{name: "no python", prepare: func(t *testing.T, _ string) { t.Setenv("SSWE_PYTHON", "python-of-nowhere") },
			want: []string{"python-of-nowhere", "install Python"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wheels := index(t, c.serve...)
			t.Setenv("PIP_CASE", c.pipCase)
			if c.prepare != nil {
				c.prepare(t, wheels)
			}
			s := fakeStore(t.TempDir())
			_, err := s.install(t.Context(), io.Discard)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, s.dir) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			if rest := leftovers(t, s); len(rest) > 0 {
				t.Errorf("left behind: %v", rest)
			}
		})
	}
}

func TestTheSecondPinServesWhereTheFirstIsNotToBeHad(t *testing.T) {
	index(t, "second-cpu")
	s := fakeStore(t.TempDir())
	var said strings.Builder
	p, err := s.install(t.Context(), &said)
	if err != nil || p.Name != "second-cpu" {
		t.Fatalf("%+v, %v", p, err)
	}
	if !strings.Contains(said.String(), "trying second-cpu") {
		t.Errorf("a change of plugin is not said: %q", said.String())
	}
	if p, found, err := s.find(); !found || err != nil || p.Name != "second-cpu" {
		t.Errorf("found %+v, %v, %v", p, found, err)
	}
}

func TestWithoutPipAVirtualEnvironmentHelps(t *testing.T) {
	index(t, "first-cpu")
	t.Setenv("NO_PIP", "1")
	if _, err := fakeStore(t.TempDir()).install(t.Context(), io.Discard); err != nil {
		t.Error(err)
	}
}

func TestAnUnsupportedPlatformIsToldItsRemedy(t *testing.T) {
	s := fakeStore(t.TempDir())
	s.platform = "plan9/mips"
	_, err := s.install(t.Context(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "plan9/mips") || !strings.Contains(err.Error(), "GOMLX_BACKEND=xla:cpu") {
		t.Errorf("%v", err)
	}
}

func TestACacheFolderThatGoXLAMisreadsIsRefused(t *testing.T) {
	for _, name := range []string{"a,b", "Cuda-lab"} {
		s := fakeStore(filepath.Join(t.TempDir(), name))
		if _, err := s.install(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "SSWE_CACHE") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAKilledFetchGoesOnFromTheCompleteWheel(t *testing.T) {
	wheels := index(t) // serves nothing: the network is gone
	s := fakeStore(t.TempDir())
	part := s.folder(s.pins[0]) + ".part"
	if err := os.MkdirAll(filepath.Join(part, "unpacked"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(part, s.pins[0].wheel), string(fakeWheel("first-cpu")), 0o644)
	write(t, filepath.Join(part, "unpacked", "plugin.so"), soText[:10], 0o644)
	if _, found, err := s.find(); found || err != nil {
		t.Fatalf("half a plugin counts: %v, %v", found, err)
	}
	if _, err := s.install(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if n := downloads(t, wheels); n != 0 {
		t.Errorf("%d downloads although the wheel was there", n)
	}
}

func TestADamagedPluginIsSeenAndFetchedAnew(t *testing.T) {
	wheels := index(t, "first-cpu")
	s := fakeStore(t.TempDir())
	p, err := s.install(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{soText[:20], strings.Repeat("x", len(soText))} {
		write(t, p.Path, text, 0o644)
		later := time.Now().Add(time.Duration(i+1) * time.Second)
		if err := os.Chtimes(p.Path, later, later); err != nil {
			t.Fatal(err)
		}
		var damage *damagedError
		if _, found, err := s.find(); found || !errors.As(err, &damage) {
			t.Fatalf("damage %d is not seen: %v, %v", i, found, err)
		}
		if _, err := s.install(t.Context(), io.Discard); err != nil {
			t.Fatal(err)
		}
		if n := downloads(t, wheels); n != i+2 {
			t.Errorf("%d downloads", n)
		}
	}
}

func TestATouchedPluginIsHashedAgainAndKept(t *testing.T) {
	index(t, "first-cpu")
	s := fakeStore(t.TempDir())
	p, err := s.install(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(p.Path, then, then); err != nil {
		t.Fatal(err)
	}
	if _, found, err := s.find(); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

func TestACancelledFetchStopsAtOnceWithItsChildren(t *testing.T) {
	wheels := index(t)
	t.Setenv("PIP_CASE", "slow")
	s := fakeStore(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for downloads(t, wheels) == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond)
		cancel()
	}()
	start := time.Now()
	_, err := s.install(ctx, io.Discard)
	if !errors.Is(err, context.Canceled) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
	pid, err := os.ReadFile(filepath.Join(wheels, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	state, _ := exec.Command("ps", "-o", "stat=", "-p", strings.TrimSpace(string(pid))).Output()
	if s := strings.TrimSpace(string(state)); s != "" && !strings.HasPrefix(s, "Z") { // Z: dead, and not yet collected by init
		t.Errorf("pip's child is still running, in state %s", s)
	}
	if rest := leftovers(t, s); len(rest) > 0 {
		t.Errorf("left behind: %v", rest)
	}
}

// TestHelperInstalls is one of the processes of the test below.
func TestHelperInstalls(t *testing.T) {
	dir := os.Getenv("HELPER_CACHE")
	if dir == "" {
		t.Skip("run by TestProcessesAtTheSameTimeFetchOnce")
	}
	p, err := fakeStore(dir).install(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(p.Path); err != nil || string(got) != soText {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestProcessesAtTheSameTimeFetchOnce(t *testing.T) {
	wheels := index(t, "first-cpu")
	dir := t.TempDir()
	var helpers []*exec.Cmd
	for range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperInstalls$")
		cmd.Env = append(os.Environ(), "HELPER_CACHE="+dir)
		cmd.Stdout = new(bytes.Buffer)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		helpers = append(helpers, cmd)
	}
	for _, cmd := range helpers {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, cmd.Stdout)
		}
	}
	if n := downloads(t, wheels); n != 1 {
		t.Errorf("%d downloads by 5 processes", n)
	}
}

func TestPinsAreComplete(t *testing.T) {
	for _, p := range pinned {
		if len(p.wheelSHA256) != 64 || len(p.soSHA256) != 64 || p.wheelBytes == 0 || p.soBytes == 0 || p.publisher == "" || p.license == "" || p.pjrtAPI == "" {
			t.Errorf("%+v", p)
		}
		// go-xla takes a plugin for a CPU's by its path.
		if path := fmt.Sprint(store{}.path(p)); !strings.Contains(path, "cpu") {
			t.Errorf("%s does not say that it is for the CPU", path)
		}
	}
}
