package sswe

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"elastography/data"
)

func toySensitivity(t *testing.T, patchPx int) (*Model, *data.Sample, *Sensitivity) {
	t.Helper()
	c := toy()
	m, err := newModel(backend, c, nil, 30)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	sample := toyPlanes(c, 1, "asked")[0]
	s, err := m.Sensitivity(t.Context(), sample, patchPx)
	if err != nil {
		t.Fatal(err)
	}
	return m, sample, s
}

// The map says what the network draws once a patch is covered by hand; 5 divides neither side of the image.
func TestSensitivityIsWhatCoveringAPatchChanges(t *testing.T) {
	m, sample, s := toySensitivity(t, 5)
	g, mean := m.Config.Grid, float32(0)
	for _, grey := range sample.Image {
		mean += grey / float32(len(sample.Image))
	}
	covered := *sample
	covered.Image = slices.Clone(sample.Image)
	for row := 10; row < 15; row++ {
		for col := 20; col < g.Width; col++ {
			covered.Image[row*g.Width+col] = mean
		}
	}
	var drawn [2][]float32
	for k, one := range []*data.Sample{sample, &covered} {
		p, err := m.Predict([]*data.Sample{one})
		if err != nil {
			t.Fatal(err)
		}
		drawn[k] = p[0].KPa
	}
	for _, at := range [][2]int{{12, 21}, {9, 20}, {15, 23}} {
		want := float64(drawn[0][at[0]*g.Width+at[1]] - drawn[1][at[0]*g.Width+at[1]])
		got := float64(s.At(at[0], at[1])[13*g.Width+22])
		if math.Abs(got-want) > 1e-3 || want == 0 {
			t.Errorf("covering the patch changes pixel %v by %g kPa, the map says %g", at, want, got)
		}
	}
}

// What lies beyond a network's convolutions can't matter: here they reach 9 pixels to each side.
func TestSensitivityEndsWhereTheNetworkCannotSee(t *testing.T) {
	m, _, s := toySensitivity(t, 2)
	g := m.Config.Grid
	at := s.At(2, 3)
	for i, v := range at {
		if far := i%g.Width > 3+10; far && math.Abs(float64(v)) > 1e-4 {
			t.Errorf("pixel (%d, %d) matters by %g kPa", i/g.Width, i%g.Width, v)
		}
	}
	if reach := s.ReachMM(2, 3); reach <= 0 || reach > 10*g.MMPerPx {
		t.Errorf("the pixel answers to what is %g mm away", reach)
	}
}

func TestSensitivityStopsAndRefuses(t *testing.T) {
	m, sample, _ := toySensitivity(t, 8)
	if _, err := m.Sensitivity(t.Context(), sample, 0); err == nil {
		t.Error("patches without pixels are accepted")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := m.Sensitivity(stopped, sample, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
