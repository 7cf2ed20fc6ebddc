package sswe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"elastography/data"
)

// losses trains in dir on so many devices until the given step and returns the loss of each step it took, in units of RangeKPa.
func losses(t *testing.T, c Config, planes []*data.Sample, dir string, devices, until int) (out []float64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	trainer := Trainer{Backend: backend, Config: c, Dir: dir, Devices: devices, OnStep: func(step, _ int, lossKPa float64) {
		out = append(out, lossKPa/c.RangeKPa)
		if step == until {
			cancel()
		}
	}}
	if _, _, err := trainer.Train(ctx, planes); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatalf("%d devices: %v", devices, err)
	}
	return out
}

// A batch spread over 2 or 4 devices gives the losses of one device: batch normalisation sees the whole batch, order and
// augmentation are the same. Checkpoints change hands between numbers of devices.
func TestDevicesShareABatchWithoutATrace(t *testing.T) {
	if n := backend.NumDevices(); n < 4 {
		t.Skipf("%s has %d devices, 4 are needed", backend.Name(), n)
	}
	c := toy()
	c.Training.Epochs = 25 // of 2 steps
	planes := toyPlanes(c, 10, "devices")
	one := losses(t, c, planes, t.TempDir(), 1, 50)
	for _, plan := range [][]struct{ devices, until int }{
		{{2, 50}}, {{4, 50}}, {{2, 25}, {1, 50}},
	} {
		t.Run(fmt.Sprint(plan), func(t *testing.T) {
			dir := t.TempDir()
			var got []float64
			for _, part := range plan {
				got = append(got, losses(t, c, planes, dir, part.devices, part.until)...)
			}
			if len(got) != len(one) {
				t.Fatalf("%d steps, one device took %d", len(got), len(one))
			}
			worst := 0.0
			for i := range one {
				worst = max(worst, math.Abs(got[i]-one[i]))
			}
			t.Logf("largest difference of %d losses: %.1e", len(one), worst)
			if !(worst <= 1e-5) {
				t.Errorf("losses differ by up to %.1e from one device's, expected 1e-5 at most", worst)
			}
		})
	}
}

func TestDevicesThatCannotShareAreRefused(t *testing.T) {
	c := toy()
	planes := toyPlanes(c, 4, "refused")
	for devices, says := range map[int]string{3: "a batch of 4 planes can't be divided equally among 3 devices", 64: "64 devices asked for", -1: "give 1 or more"} {
		trainer := Trainer{Backend: backend, Config: c, Dir: t.TempDir(), Devices: devices}
		if _, _, err := trainer.Train(t.Context(), planes); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%d devices: error %v, expected %q", devices, err, says)
		}
	}
}

// BenchmarkDevices times training steps of the paper's network. To see devices against threads, run it also with
// XLA_FLAGS=--xla_cpu_multi_thread_eigen=false, which leaves each device one thread.
func BenchmarkDevices(b *testing.B) {
	for _, devices := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(devices), func(b *testing.B) {
			w, err := NewWorkload(backend, Paper())
			if err == nil {
				err = w.fit.spread(devices)
			}
			if err == nil {
				_, err = w.Step() // compiles
			}
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := w.Step(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(w.batch))/b.Elapsed().Seconds(), "images/s")
		})
	}
}
