package sswe

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elastography/data"
)

// trained is the folder of a finished toy model.
func trained(t *testing.T, c Config, name string, o Origin) string {
	t.Helper()
	dir := t.TempDir()
	if _, _, err := (&Trainer{Backend: backend, Config: c, Dir: dir, Origin: o}).Train(t.Context(), toyPlanes(c, 4, name)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFineTuningBeginsWithExactlyWhatTheCheckpointPredicts(t *testing.T) {
	c := toy()
	first := Origin{Organ: "prostate", Scanners: []string{"endfire-a"}, Simulated: true, Patients: 4, Planes: 4}
	dir := trained(t, c, "first", first)
	before, err := Load(backend, dir)
	if err != nil {
		t.Fatal(err)
	}
	other := c
	other.Seed, other.Training.LearningRate, other.Training.Epochs = 7, 2e-4, 1
	planes := toyPlanes(c, 4, "second")
	out := t.TempDir()
	trainer := Trainer{Backend: backend, Config: other, Dir: out, Start: dir, Origin: Origin{Organ: "thyroid", Scanners: []string{"linear"}, Patients: 4, Planes: 4}}
	m, _, p, err := trainer.start(planes)
	if err != nil {
		t.Fatal(err)
	}
	want, err1 := before.Predict(planes)
	got, err2 := m.Predict(planes)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for k := range want {
		if !slices.Equal(got[k].KPa, want[k].KPa) {
			t.Fatalf("plane %d: step 0 of the fine-tuning predicts something else than the checkpoint", k)
		}
	}
	if p.Step != 0 || m.Config != other {
		t.Errorf("it starts at step %d with the configuration %+v", p.Step, m.Config)
	}

	if _, _, err := trainer.Train(t.Context(), planes); err != nil {
		t.Fatal(err)
	}
	tuned, err := Load(backend, out)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tuned.Predict(planes); err != nil || slices.Equal(got[0].KPa, want[0].KPa) {
		t.Errorf("error %v, or training changed nothing", err)
	}
	for _, words := range []string{"4 simulated prostate planes (endfire-a), fine-tuned on 4 real thyroid planes (linear)", "research use only"} {
		if !strings.Contains(tuned.Origin.Note(), words) {
			t.Errorf("the model's note is %q, it lacks %q", tuned.Origin.Note(), words)
		}
	}
	if !tuned.Origin.AnySimulated() || tuned.Origin.Simulated {
		t.Error("real planes at last, simulated ones at first: the model is a simulation's in part")
	}
	exported, err := ExportONNX(out)
	if err != nil || !bytes.Contains(exported, []byte("fine-tuned on 4 real thyroid planes")) {
		t.Errorf("error %v, or the exported file does not say that it is fine-tuned", err)
	}
}

func TestAFineTuningFromAnotherNetworkIsRefused(t *testing.T) {
	c := toy()
	c.Training.Epochs = 1
	dir := trained(t, c, "narrow", Origin{})
	for what, change := range map[string]func(*Config){
		"BaseChannels:8": func(c *Config) { c.Network.BaseChannels *= 2 },
		"Skips:false":    func(c *Config) { c.Network.Skips = false },
		"of 0.7 mm":      func(c *Config) { c.Grid.MMPerPx /= 2 },
		"35 kPa":         func(c *Config) { c.RangeKPa /= 2 },
	} {
		other := c
		change(&other)
		_, _, err := (&Trainer{Backend: backend, Config: other, Dir: t.TempDir(), Start: dir}).Train(t.Context(), toyPlanes(other, 4, "wide"))
		if !errors.Is(err, ErrOtherNetwork) {
			t.Fatalf("%s: error %v", what, err)
		}
		for _, word := range []string{what, dir, "the checkpoint's preset (smoke)"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("error %q does not say %q", err, word)
			}
		}
	}
	if _, _, err := (&Trainer{Backend: backend, Config: c, Dir: t.TempDir(), Start: t.TempDir()}).Train(t.Context(), toyPlanes(c, 4, "none")); err == nil || !strings.Contains(err.Error(), ModelFile) {
		t.Errorf("from an empty folder: error %v", err)
	}
}

// A plane that a model has learned from is no test plane, not even after a fine-tuning and under another name.
func TestAModelIsNotTestedOnWhatItHasLearnedFrom(t *testing.T) {
	c := toy()
	c.Training.Epochs = 1
	first, second, others := toyPlanes(c, 4, "first"), toyPlanes(c, 4, "second"), toyPlanes(c, 3, "others")
	dir, out := trained(t, c, "first", Origin{}), t.TempDir()
	if _, _, err := (&Trainer{Backend: backend, Config: c, Dir: out, Start: dir}).Train(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	m, err := Load(backend, out)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Origin.CheckUnseen(others); err != nil {
		t.Errorf("planes of others: %v", err)
	}
	first[2].Patient = "renamed"
	for what, planes := range map[string][]*data.Sample{"renamed/mid": first[2:3], "second03/mid": second[3:]} {
		if err := m.Origin.CheckUnseen(planes); !errors.Is(err, data.ErrLeak) || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "other patients") {
			t.Errorf("%s: error %v", what, err)
		}
	}
	cv := CrossValidation{Backend: backend, Config: c, Dir: t.TempDir(), Folds: 2, Start: dir}
	if _, _, err := cv.Run(t.Context(), first); !errors.Is(err, data.ErrLeak) {
		t.Errorf("a cross-validation that begins with what it tests: error %v", err)
	}
}

func TestAResumedFineTuningEqualsAnUndisturbedOne(t *testing.T) {
	c := toy()
	c.Training.CheckpointPeriod = 0
	start := trained(t, c, "first", Origin{})
	c.Training.LearningRate, c.Training.FinalRate = 1e-4, 1e-5
	planes := toyPlanes(c, 8, "second")
	finish := func(dir string) []byte {
		t.Helper()
		if _, _, err := (&Trainer{Backend: backend, Config: c, Dir: dir, Start: start}).Train(t.Context(), planes); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	undisturbed, dir := finish(t.TempDir()), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	stopped := Trainer{Backend: backend, Config: c, Dir: dir, Start: start, OnStep: func(step, _ int, _ float64) {
		if step == 3 {
			cancel()
		}
	}}
	if _, _, err := stopped.Train(ctx, planes); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, expected that it was cancelled", err)
	}
	fromScratch := Trainer{Backend: backend, Config: c, Dir: dir}
	if _, _, err := fromScratch.Train(t.Context(), planes); err == nil || !strings.Contains(err.Error(), "began with other weights") {
		t.Errorf("going on as if it had begun with random weights: error %v", err)
	}
	if !bytes.Equal(finish(dir), undisturbed) {
		t.Error("stopped and resumed, the fine-tuned model differs from an undisturbed one")
	}
	if _, finished := fromScratch.Finished(); finished {
		t.Error("a fine-tuned model passes for one trained from random weights")
	}
	if _, finished := stopped.Finished(); !finished {
		t.Error("the fine-tuned model is not found finished")
	}
}
