//go:build linux && cgo

package compiler

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"elastography/kernel/pjrt"
)

const envChild = "SSWE_TEST_COMPUTE"

// The tests compute in processes of their own, this binary started again: what a cache is for.
func TestMain(m *testing.M) {
	if os.Getenv(envChild) == "" {
		os.Exit(m.Run())
	}
	Enable(os.Stderr)
	Enable(io.Discard) // a second time changes nothing
	if err := computeSomething(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

// computeSomething compiles one program, whose rounding would show another order of operations, and prints its result's bits.
func computeSomething(w io.Writer) error {
	backend, err := compute.New()
	if err != nil {
		return err
	}
	defer backend.Finalize()
	e, err := graph.NewExec(backend, func(x *graph.Node) *graph.Node {
		return graph.ReduceAllSum(graph.Exp(graph.Sin(graph.Dot(x, graph.Transpose(x, 0, 1)).Product())))
	})
	if err != nil {
		return err
	}
	x := make([]float32, 64*32)
	for i := range x {
		x[i] = float32(math.Sqrt(float64(i)))
	}
	y, err := e.Call1(tensors.FromFlatDataAndDimensions(x, 64, 32))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%08x %s\n", math.Float32bits(tensors.ToScalar[float32](y)), backend.Description())
	return err
}

// child is a process that computes, with a cache of its own.
type child struct {
	cache  string // SSWE_CACHE
	env    []string
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// pinned is the plugin, fetched once before any test points SSWE_CACHE elsewhere.
var pinned = sync.OnceValues(func() (pjrt.Plugin, error) { return pjrt.Ensure(context.Background(), os.Stderr) })

// command prepares a child on the pinned plugin; env comes last.
func (c *child) command(t *testing.T) *exec.Cmd {
	t.Helper()
	plugin, err := pinned()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"=1", "GOMLX_BACKEND="+plugin.Backend(), "GOMLX_NO_AUTO_INSTALL=1", "SSWE_CACHE="+c.cache, EnvCache+"=")
	cmd.Env = append(cmd.Env, c.env...)
	cmd.Stdout, cmd.Stderr = &c.stdout, &c.stderr
	return cmd
}

// run computes in a process and returns the result's bits and the rest of what it said.
func run(t *testing.T, cache string, env ...string) (bits, description, said string) {
	t.Helper()
	c := child{cache: cache, env: env}
	if err := c.command(t).Run(); err != nil {
		t.Fatalf("%v: %s", err, c.stderr.String())
	}
	bits, description, _ = strings.Cut(strings.TrimSpace(c.stdout.String()), " ")
	return bits, description, c.stderr.String()
}

func inspect(t *testing.T, cache string) Stats {
	t.Helper()
	stats, err := (&store{dir: filepath.Join(cache, "compiled")}).stats()
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

func wantStats(t *testing.T, cache string, programs int, hits, misses int64) {
	t.Helper()
	if s := inspect(t, cache); s.Programs != programs || s.Hits != hits || s.Misses != misses {
		t.Errorf("%d programs, %d hits, %d misses; want %d, %d, %d", s.Programs, s.Hits, s.Misses, programs, hits, misses)
	}
}

func TestASecondProcessFindsWhatTheFirstCompiledWithTheSameBits(t *testing.T) {
	cache := t.TempDir()
	plain, plainDescription, _ := run(t, cache, EnvCache+"=off")
	if _, err := os.Stat(filepath.Join(cache, "compiled")); err == nil {
		t.Error("the cache that is off was made")
	}
	cold, description, said := run(t, cache)
	wantStats(t, cache, 1, 0, 1)
	warm, _, _ := run(t, cache)
	wantStats(t, cache, 1, 1, 1)
	if cold != plain || warm != plain || said != "" {
		t.Errorf("without %s, first %s, second %s; said %q", plain, cold, warm, said)
	}
	version := plainDescription[strings.LastIndex(plainDescription, " v"):]
	if !strings.HasSuffix(description, version) {
		t.Errorf("the backend is %q, without the cache %q", description, plainDescription)
	}
	run(t, cache, "XLA_FLAGS=--xla_cpu_enable_fast_min_max=false")
	wantStats(t, cache, 2, 1, 2)
}

func TestADamagedProgramIsCompiledAgainAndReplaced(t *testing.T) {
	cache := t.TempDir()
	before, _, _ := run(t, cache)
	files, err := filepath.Glob(filepath.Join(cache, "compiled", strings.Repeat("?", 64)))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	s := store{dir: filepath.Dir(files[0]), limit: 1 << 30}
	k := key(whole[len(magic):sumAt])
	for name, damage := range map[string]func() error{
		"a flipped bit": func() error {
			return os.WriteFile(files[0], append(whole[:len(whole)-1:len(whole)-1], ^whole[len(whole)-1]), 0o600)
		},
		"half a file":               func() error { return os.WriteFile(files[0], whole[:len(whole)/2], 0o600) },
		"an empty file":             func() error { return os.WriteFile(files[0], nil, 0o600) },
		"whole, but not a program":  func() error { return s.put(k, []byte("no program")) },
		"a program cut off, sealed": func() error { return s.put(k, whole[bytesAt:len(whole)-len(whole)/3]) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		after, _, said := run(t, cache)
		if after != before || said != "" {
			t.Errorf("%s: %s instead of %s; said %q", name, after, before, said)
		}
		if now, err := os.ReadFile(files[0]); err != nil || len(now) < len(whole)*9/10 {
			t.Errorf("%s: %d bytes stored instead of about %d, %v", name, len(now), len(whole), err)
		}
	}
}

func TestProcessesAtTheSameTimeShareTheCache(t *testing.T) {
	cache := t.TempDir()
	children := make([]child, 3)
	commands := make([]*exec.Cmd, len(children))
	for i := range children {
		children[i].cache = cache
		commands[i] = children[i].command(t)
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for i, cmd := range commands {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, children[i].stderr.String())
		}
		if a, b := children[i].stdout.String(), children[0].stdout.String(); a != b || children[i].stderr.Len() > 0 {
			t.Errorf("%s, the first %s; said %q", a, b, children[i].stderr.String())
		}
	}
	if s := inspect(t, cache); s.Programs != 1 || s.Hits+s.Misses != 3 {
		t.Errorf("%+v", s)
	}
}

func TestAFullOrReadOnlyDiskOnlyCostsTime(t *testing.T) {
	plain, _, _ := run(t, t.TempDir(), EnvCache+"=off")
	full := t.TempDir()
	if err := syscall.Mount("tmpfs", full, "tmpfs", 0, "size=4k"); err != nil {
		t.Skipf("cannot mount a small disk to try this on (it takes root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(full, 0); err != nil {
			t.Error(err)
		}
	})
	try := func(words string) {
		t.Helper()
		bits, _, said := run(t, full)
		if bits != plain || !strings.Contains(said, words) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s instead of %s; said %q, not one line with %q", bits, plain, said, words)
		}
	}
	try("no space left")
	if err := syscall.Mount("", full, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=4k"); err != nil {
		t.Fatal(err)
	}
	try("read-only")
}

func TestWithoutACacheFolderWorkGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, said := run(t, file); !strings.Contains(said, "not a directory") || strings.Count(said, "\n") != 1 {
		t.Errorf("said %q", said)
	}
	if _, _, said := run(t, t.TempDir(), EnvCache+"=lots"); !strings.Contains(said, "neither a size") {
		t.Errorf("said %q", said)
	}
}

// The layouts in pjrt_abi.h are those of the header that go-xla is built from.
func TestTheLayoutsAreThoseOfThePJRTInterface(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var c strings.Builder
	c.WriteString("#include \"pjrt_c_api.h\"\n#include \"pjrt_abi.h\"\n")
	same := func(format string, args ...any) {
		fmt.Fprintf(&c, "_Static_assert(%s, \"\");\n", fmt.Sprintf(format, args...))
	}
	for ours, theirs := range map[string]string{
		"SSWE_ERROR_DESTROY": "PJRT_Error_Destroy", "SSWE_CLIENT_PLATFORM_VERSION": "PJRT_Client_PlatformVersion",
		"SSWE_CLIENT_ADDRESSABLE_DEVICES": "PJRT_Client_AddressableDevices", "SSWE_CLIENT_COMPILE": "PJRT_Client_Compile",
		"SSWE_EXECUTABLE_DESTROY": "PJRT_Executable_Destroy", "SSWE_EXECUTABLE_SERIALIZE": "PJRT_Executable_Serialize",
		"SSWE_LOADED_EXECUTABLE_GET_EXECUTABLE": "PJRT_LoadedExecutable_GetExecutable",
		"SSWE_EXECUTABLE_DESERIALIZE_AND_LOAD":  "PJRT_Executable_DeserializeAndLoad",
	} {
		same("offsetof(sswe_api, functions) + %s * sizeof(void *) == offsetof(PJRT_Api, %s)", ours, theirs)
		same("%s < SSWE_FUNCTIONS_USED", ours)
	}
	for _, f := range [][2]string{{"major", "major_version"}, {"minor", "minor_version"}} {
		same("offsetof(sswe_api, version.%s) == offsetof(PJRT_Api, pjrt_api_version.%s)", f[0], f[1])
	}
	for _, s := range []struct{ ours, theirs, fields string }{
		{"sswe_error_destroy_args", "PJRT_Error_Destroy_Args", "error=error"},
		{"sswe_platform_version_args", "PJRT_Client_PlatformVersion_Args", "client=client version=platform_version version_size=platform_version_size"},
		{"sswe_addressable_devices_args", "PJRT_Client_AddressableDevices_Args", "client=client devices=addressable_devices device_count=num_addressable_devices"},
		{"sswe_program", "PJRT_Program", "code=code code_size=code_size format=format format_size=format_size"},
		{"sswe_compile_args", "PJRT_Client_Compile_Args", "client=client program=program options=compile_options options_size=compile_options_size loaded=executable"},
		{"sswe_get_executable_args", "PJRT_LoadedExecutable_GetExecutable_Args", "loaded=loaded_executable executable=executable"},
		{"sswe_serialize_args", "PJRT_Executable_Serialize_Args", "executable=executable bytes=serialized_bytes bytes_size=serialized_bytes_size backing=serialized_executable release=serialized_executable_deleter"},
		{"sswe_executable_destroy_args", "PJRT_Executable_Destroy_Args", "executable=executable"},
		{"sswe_deserialize_args", "PJRT_Executable_DeserializeAndLoad_Args", "client=client bytes=serialized_executable bytes_size=serialized_executable_size loaded=loaded_executable options=overridden_serialized_compile_options options_size=overridden_serialized_compile_options_size"},
	} {
		same("sizeof(%s) == sizeof(%s)", s.ours, s.theirs)
		for _, f := range strings.Fields(s.fields + " struct_size=struct_size extension_start=extension_start") {
			ours, theirs, _ := strings.Cut(f, "=")
			same("offsetof(%s, %s) == offsetof(%s, %s)", s.ours, ours, s.theirs, theirs)
		}
	}
	file := filepath.Join(t.TempDir(), "layout.c")
	if err := os.WriteFile(file, []byte(c.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "cc", "-fsyntax-only", "-I", filepath.Join(strings.TrimSpace(string(dir)), "pjrt"), "-I", here, file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
