package sswe

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"elastography/data"
	"elastography/kernel/pjrt"
)

// backend is XLA's CPU plugin, fetched once and shared by the package's tests.
var backend compute.Backend

func TestMain(m *testing.M) {
	plugin, err := pjrt.Use(context.Background())
	if err == nil {
		backend, err = OpenBackend()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests of sswe run on XLA:", err)
		os.Exit(1)
	}
	fmt.Printf("tests of sswe run on %s (plugin %s %s)\n", strings.TrimSpace(backend.Description()), plugin.Name, plugin.Version)
	os.Exit(m.Run())
}

func TestBackendIsXLA(t *testing.T) {
	d := backend.Description()
	if !strings.HasPrefix(backend.Name(), "xla") || !strings.Contains(d, "PJRT") {
		t.Fatalf("the backend is %q, %q: not XLA", backend.Name(), d)
	}
	plugin, found, err := pjrt.Find()
	if err != nil || !found {
		t.Fatalf("no plugin found: %v", err)
	}
	if plugin.PJRTAPI != "" && !strings.Contains(d, "v"+plugin.PJRTAPI) {
		t.Errorf("the backend %q does not run PJRT API %s of the selected plugin", d, plugin.PJRTAPI)
	}
}

// toy is a configuration that trains in a second.
func toy() Config {
	c := Smoke()
	c.Grid = data.Grid{Height: 16, Width: 24, MMPerPx: 1.4}
	c.Network.Levels, c.Network.BaseChannels = 1, 4
	c.Augmentation = data.Augmentation{FlipLateral: true, GainDelta: 0.05, GammaRange: 0.1}
	c.Training.Epochs, c.Training.ValidationShare = 3, 0.25
	return c
}

// toyPlanes are planes whose stiffness is a smooth function of the grey level plus what no image shows.
func toyPlanes(c Config, patients int, name string) []*data.Sample {
	var list []*data.Sample
	for p := range patients {
		rng := data.Stream(uint64(p), "toy/"+name)
		n := c.Grid.Pixels()
		s := &data.Sample{Patient: fmt.Sprintf("%s%02d", name, p), Plane: "mid", Grid: c.Grid, ScaleMaxKPa: 70,
			Image: make([]float32, n), TargetKPa: make([]float32, n), Mask: make([]bool, n), Saturated: make([]bool, n),
			Labels: make([]uint8, n)}
		phase, offset := 6*rng.Float64(), 4*rng.NormFloat64()
		for i := range n {
			y, x := float64(i/c.Grid.Width), float64(i%c.Grid.Width)
			wave := math.Sin(x/4+phase) * math.Cos(y/3)
			s.Image[i] = float32(0.5 + 0.3*wave + 0.05*rng.NormFloat64())
			s.TargetKPa[i] = float32(min(70, max(5, 30+20*wave+offset)))
			s.Mask[i] = y > 3 && x > 2
			s.Labels[i] = 1
			if wave > 0.7 {
				s.Labels[i] = 10
			}
		}
		list = append(list, s)
	}
	return list
}
