package sswe

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"elastography/data"
	"elastography/data/npz"
)

// Each refusal says what is wrong, where, and what to do about it.
func TestAnEvaluationRefusesWhatNoHonestNumberFollowsFrom(t *testing.T) {
	c := toy()
	for name, r := range map[string]struct {
		spoil func(*Evidence)
		says  []string
	}{
		"NaN in an image":      {func(e *Evidence) { e.Test[1].Image[7] = float32(math.NaN()) }, []string{"held01/mid", "NaN", "pixel 7", "remove the plane"}},
		"NaN in the target":    {func(e *Evidence) { e.Test[1].TargetKPa[5*c.Grid.Width+9] = float32(math.NaN()) }, []string{"held01/mid", "stiffness is NaN", "repair"}},
		"NaN in a prediction":  {func(e *Evidence) { e.Predictions[2].KPa[3] = float32(math.NaN()) }, []string{"held02/mid", "NaN", "another checkpoint"}},
		"an empty mask":        {func(e *Evidence) { clear(e.Test[0].Mask) }, []string{"held00/mid", "mask is empty", "remove the plane"}},
		"one patient only":     {func(e *Evidence) { e.Test, e.Predictions = e.Test[:1], e.Predictions[:1] }, []string{"one test patient", "add test patients"}},
		"no training plane":    {func(e *Evidence) { e.Training = nil }, []string{"no training plane", "training split"}},
		"a leak":               {func(e *Evidence) { e.Training[3].Patient = "held02" }, []string{"patient leak", "held02", "manifest.csv"}},
		"another grid":         {func(e *Evidence) { e.Test[2].Grid.Width++ }, []string{"held02/mid", "grid", "the configuration asks"}},
		"predictions too few":  {func(e *Evidence) { e.Predictions = e.Predictions[1:] }, []string{"2 predictions for 3 planes"}},
		"a control of another": {func(e *Evidence) { e.Controls = map[string][]Prediction{"depth": {{}, {}, {}}} }, []string{"control depth", "held00/mid", "0 pixels"}},
	} {
		t.Run(name, func(t *testing.T) {
			test := toyPlanes(c, 3, "held")
			e := Evidence{Training: toyPlanes(c, 4, "fit"), Test: test, Simulated: true,
				Predictions: predict(test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] })}
			r.spoil(&e)
			_, err := Evaluate(c, e)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, word := range r.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("error %q does not say %q", err, word)
				}
			}
		})
	}
}

func TestAModelOfAnotherArchitectureOrOrganIsRefused(t *testing.T) {
	c := toy()
	m, err := newModel(backend, c, nil, 30)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckModel(m, c); err != nil {
		t.Errorf("its own configuration: %v", err)
	}
	deeper, finer := c, c
	deeper.Network.Levels++
	finer.Grid.MMPerPx /= 2
	for _, other := range []Config{deeper, finer} {
		if err := CheckModel(m, other); !errors.Is(err, ErrOtherNetwork) || !strings.Contains(err.Error(), "train again") {
			t.Errorf("error %v", err)
		}
	}
	if err := CheckOrgan(Origin{Organ: "prostate"}, "thyroid"); !errors.Is(err, ErrOtherOrgan) || !strings.Contains(err.Error(), "thyroid") || !strings.Contains(err.Error(), "prostate") {
		t.Errorf("error %v", err)
	}
	if err := CheckOrgan(Origin{Organ: "prostate"}, "prostate"); err != nil {
		t.Errorf("its own organ: %v", err)
	}
}

// A checkpoint whose weights are not those of the network it claims to be is refused by the file's name, without a panic.
func TestACheckpointWithOtherWeightsThanItSaysIsRefused(t *testing.T) {
	narrow, wide := toy(), toy()
	wide.Network.BaseChannels *= 2
	m, err := newModel(backend, narrow, nil, 30)
	if err != nil {
		t.Fatal(err)
	}
	m.Config = wide
	path := filepath.Join(t.TempDir(), ModelFile)
	refused := func(why string) {
		t.Helper()
		if err := m.save(path, progress{}); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(backend, path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), why) || !errors.Is(err, npz.ErrDamaged) {
			t.Errorf("error %v, expected one about %q", err, why)
		}
	}
	refused("training domain") // a model that never finished its training knows none
	features := make([]float32, wide.Network.channels(wide.Network.Levels))
	m.Domain = Domain{Low: features, High: features}
	refused("weights do not fit")
}

func TestAControlRunOnOtherPlanesIsNamed(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 4, "fit"), toyPlanes(c, 3, "held")
	r, err := score(c, training, test, func(*data.Sample, int) float32 { return 20 })
	if err != nil {
		t.Fatal(err)
	}
	run := Run{Dir: t.TempDir()}
	if err := run.SaveResult(r, test, predict(test, func(*data.Sample, int) float32 { return 20 })); err != nil {
		t.Fatal(err)
	}
	if p, err := run.PredictionsOf(test); err != nil || len(p) != 3 || p[2].KPa[0] != 20 {
		t.Errorf("%d predictions, error %v", len(p), err)
	}
	if _, err := run.PredictionsOf(toyPlanes(c, 1, "other")); err == nil || !strings.Contains(err.Error(), "other00/mid") || !strings.Contains(err.Error(), "same cohort") {
		t.Errorf("error %v", err)
	}
	coarse := toyPlanes(c, 3, "held")
	coarse[0].Grid.MMPerPx *= 2
	if _, err := run.PredictionsOf(coarse); err == nil || !strings.Contains(err.Error(), "same preset") {
		t.Errorf("error %v", err)
	}
}
