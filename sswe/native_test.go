package sswe

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"elastography/kernel/pjrt/nativeops"
)

const envNativeProbe = "SSWE_TEST_NATIVE_PROBE"

// probe is what a process of its own computes: losses of some training steps, and a prediction.
type probe struct {
	Losses []float64
	KPa    []float32
}

// small is the paper's network, small enough for tests, on an image whose size its poolings divide.
func small() Config {
	c := Paper()
	c.Network.Levels, c.Network.BaseChannels = 2, 16
	c.Grid.Height, c.Grid.Width = 20, 36
	return c
}

// TestHelperTrainsAndPredicts is the process of the tests below.
func TestHelperTrainsAndPredicts(t *testing.T) {
	if os.Getenv(envNativeProbe) == "" {
		t.Skip("run by the tests of native operations")
	}
	w, err := NewWorkload(backend, small())
	if err != nil {
		t.Fatal(err)
	}
	var p probe
	for range 4 {
		loss, err := w.Step()
		if err != nil {
			t.Fatal(err)
		}
		p.Losses = append(p.Losses, loss)
	}
	predictions, err := w.Infer(1)
	if err != nil {
		t.Fatal(err)
	}
	p.KPa = predictions[0].KPa
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\nprobe %s\n", text)
}

func runProbe(ctx context.Context, t *testing.T, env ...string) (p probe) {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHelperTrainsAndPredicts$")
	cmd.Env = append(append(os.Environ(), envNativeProbe+"=1"), env...)
	out, err := cmd.CombinedOutput()
	_, line, found := strings.Cut(string(out), "\nprobe ")
	if err != nil || !found {
		t.Fatalf("%v: %v\n%s", env, err, out)
	}
	line, _, _ = strings.Cut(line, "\n")
	if err := json.Unmarshal([]byte(line), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func needNativeOps(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" || nativeops.Off() {
		t.Skip("native operations are off, or not made for this system")
	}
}

// The network is the same with native operations and with XLA's: losses, and what it has learned after some steps.
func TestNativeOperationsTrainTheSameNetwork(t *testing.T) {
	needNativeOps(t)
	native, plain := runProbe(t.Context(), t), runProbe(t.Context(), t, nativeops.EnvNativeOps+"=off")
	for i := range plain.Losses {
		if d := math.Abs(native.Losses[i] - plain.Losses[i]); !(d < 1e-5) {
			t.Errorf("loss of step %d: %v, XLA's %v", i+1, native.Losses[i], plain.Losses[i])
		}
	}
	for i := range plain.KPa {
		if d := math.Abs(float64(native.KPa[i] - plain.KPa[i])); !(d < 0.05) { // early steps of Adam follow the sign of gradients, however small
			t.Fatalf("pixel %d after four steps: %v kPa, XLA's %v", i, native.KPa[i], plain.KPa[i])
		}
	}
}

// A training does not depend on how many threads shared its work.
func TestNativeOperationsGiveTheSameBitsOnAnyNumberOfThreads(t *testing.T) {
	needNativeOps(t)
	want := fmt.Sprint(runProbe(t.Context(), t, "NPROC=1"))
	for _, threads := range []string{"2", "5"} {
		if got := fmt.Sprint(runProbe(t.Context(), t, "NPROC="+threads)); got != want {
			t.Errorf("%s threads: %.300s, one: %.300s", threads, got, want)
		}
	}
}

// Training and prediction leave XLA no convolution, no normalisation and no step of Adam.
func TestTheWholeNetworkIsNative(t *testing.T) {
	needNativeOps(t)
	dir := t.TempDir()
	runProbe(t.Context(), t, "XLA_FLAGS=--xla_dump_to="+dir+" --xla_dump_hlo_as_text", "SSWE_COMPILE_CACHE=off")
	files, err := filepath.Glob(filepath.Join(dir, "*before_optimizations.txt"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d programs were compiled, %v", len(files), err)
	}
	calls := map[string]int{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			for _, op := range []string{" convolution(", " batch-norm-", " sqrt("} {
				if strings.Contains(line, op) {
					t.Errorf("left to XLA: %s", strings.TrimSpace(line))
				}
			}
			if _, target, found := strings.Cut(line, `custom_call_target="`); found {
				target, _, _ = strings.Cut(target, `"`)
				calls[target]++
			}
		}
	}
	// 11 convolutions each in training and prediction; 10 normalised. The first asks for no input gradient, each join for two.
	want := map[string]int{"sswe.convolution": 22, "sswe.filter_gradient": 11, "sswe.input_gradient": 12, "sswe.normalisation": 10, "sswe.normalisation_gradient": 10, "sswe.adam": 32, "sswe.pool": 4, "sswe.pool_gradient": 2}
	if fmt.Sprint(calls) != fmt.Sprint(want) {
		t.Errorf("%v, expected %v", calls, want)
	}
}
