package sswe

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"elastography/data"
)

func TestOneBatchIsLearnedByHeart(t *testing.T) {
	c := toy()
	c.Augmentation = data.Augmentation{}
	c.Network.BaseChannels = 8
	c.Training = Training{Epochs: 250, BatchSize: 2, LearningRate: 3e-3, FinalRate: 1e-5, CheckpointPeriod: 3600}
	planes := toyPlanes(c, 2, "one")
	trainer := Trainer{Backend: backend, Config: c, Dir: t.TempDir()}
	m, _, err := trainer.Train(t.Context(), planes)
	if err != nil {
		t.Fatal(err)
	}
	predictions, err := m.Predict(planes)
	if err != nil {
		t.Fatal(err)
	}
	if mae := MeanAbsoluteError(planes, predictions); mae > 0.5 {
		t.Errorf("after 250 steps on two planes the error on them is %.2f kPa, expected below 0.5", mae)
	}
}

// A training that is stopped, or killed and thrown back to its last checkpoint, ends with the very same bytes.
func TestResumedTrainingEqualsAnUndisturbedOne(t *testing.T) {
	c := toy()
	c.Training.Epochs, c.Training.CheckpointPeriod = 3, 0 // 3 epochs of 2 steps, a checkpoint after each step
	planes := toyPlanes(c, 8, "resume")
	finish := func(dir string) []byte {
		t.Helper()
		trainer := Trainer{Backend: backend, Config: c, Dir: dir}
		if _, _, err := trainer.Train(t.Context(), planes); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	undisturbed := finish(t.TempDir())

	for _, stopAt := range []int{2, 5} { // at the end of an epoch and within one
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		var killed []byte
		trainer := Trainer{Backend: backend, Config: c, Dir: dir, OnStep: func(step, _ int, _ float64) {
			if step == stopAt {
				killed, _ = os.ReadFile(filepath.Join(dir, lastFile)) // as after kill -9: the step's checkpoint is not written yet
				cancel()
			}
		}}
		if _, _, err := trainer.Train(ctx, planes); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at step %d: error %v, expected that it was cancelled", stopAt, err)
		}
		stopped := t.TempDir()
		if err := os.CopyFS(stopped, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(finish(stopped), undisturbed) {
			t.Errorf("stopped at step %d and resumed: the model differs from an undisturbed training's", stopAt)
		}
		if killed == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, lastFile), killed, 0o644); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(finish(dir), undisturbed) {
			t.Errorf("killed at step %d and resumed: the model differs from an undisturbed training's", stopAt)
		}
	}
}

func TestMaskedAndSaturatedPixelsHaveNoGradient(t *testing.T) {
	gradient := graph.MustNewExec(backend, func(p, target, mask, saturated *graph.Node) *graph.Node {
		return graph.Gradient(maskedL1(p, target, mask, saturated), p)[0]
	})
	row := func(v ...float32) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(v, 1, 1, len(v), 1) }
	// below target, above target, masked, saturated and above, saturated and below
	prediction, target := row(0.2, 0.8, 0.2, 1.2, 0.6), row(0.5, 0.5, 0.5, 1, 1)
	mask, saturated := row(1, 1, 0, 1, 1), row(0, 0, 0, 1, 1)
	got := tensors.MustCopyFlatData[float32](gradient.MustCall(prediction, target, mask, saturated)[0])
	want := []float32{-0.25, 0.25, 0, 0, -0.25} // four pixels count
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Errorf("pixel %d: gradient %v, expected %v", i, got[i], want[i])
		}
	}
}

func TestBadTrainingInputIsRefusedByName(t *testing.T) {
	c := toy()
	for name, spoil := range map[string]func(*Config, []*data.Sample){
		"NaN":                    func(_ *Config, s []*data.Sample) { s[3].Image[7] = float32(math.NaN()) },
		"mask is empty":          func(_ *Config, s []*data.Sample) { clear(s[3].Mask) },
		"learning_rate":          func(c *Config, _ []*data.Sample) { c.Training.LearningRate = -1 },
		"network.levels":         func(c *Config, _ []*data.Sample) { c.Network.Levels = 99 },
		"the configuration asks": func(_ *Config, s []*data.Sample) { s[2].Grid.Width++ },
		"only patient bad00": func(_ *Config, s []*data.Sample) {
			for k := range s {
				s[k].Patient = "bad00"
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad, planes := c, toyPlanes(c, 4, "bad")
			spoil(&bad, planes)
			trainer := Trainer{Backend: backend, Config: bad, Dir: t.TempDir()}
			if _, _, err := trainer.Train(t.Context(), planes); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v does not name %q", err, name)
			}
		})
	}
}

func TestDivergingTrainingNamesTheStepAndKeepsTheCheckpoint(t *testing.T) {
	c := toy()
	c.Network.BatchNorm = false
	c.Training.Epochs, c.Training.LearningRate, c.Training.CheckpointPeriod = 40, 1e30, 0
	dir := t.TempDir()
	trainer := Trainer{Backend: backend, Config: c, Dir: dir}
	_, _, err := trainer.Train(t.Context(), toyPlanes(c, 8, "diverge"))
	if err == nil || !(strings.Contains(err.Error(), "step") || strings.Contains(err.Error(), "holds")) {
		t.Fatalf("error %v does not tell that training diverged", err)
	}
	if _, err := readCheckpoint(filepath.Join(dir, lastFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the checkpoint is not readable: %v", err)
	}
}

func TestDamagedCheckpointIsNamed(t *testing.T) {
	c := toy()
	c.Training.Epochs = 1
	dir := t.TempDir()
	trainer := Trainer{Backend: backend, Config: c, Dir: dir}
	if _, _, err := trainer.Train(t.Context(), toyPlanes(c, 4, "damaged")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ModelFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(backend, dir); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("a checkpoint of %d of %d bytes: error %v does not name %s", size, len(whole), err, path)
		}
	}
	flipped := bytes.Clone(whole)
	flipped[len(whole)/2] ^= 0x40
	if err := os.WriteFile(path, flipped, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(backend, dir); err == nil {
		t.Error("a checkpoint with a flipped bit was loaded")
	}
}

// A second output learns how wrong the first is: where the planes' stiffness has noise that no image shows, it is large.
func TestTheScaleLearnsTheNoiseOfTheStiffness(t *testing.T) {
	c := toy()
	c.Augmentation = data.Augmentation{}
	c.Network.Scale, c.Network.BaseChannels = true, 8
	c.Training = Training{Epochs: 120, BatchSize: 4, LearningRate: 3e-3, FinalRate: 1e-4, CheckpointPeriod: 3600, Loss: Laplace}
	planes := toyPlanes(c, 8, "scale")
	rng, half := stream(3, "noise"), c.Grid.Width/2
	for _, s := range planes { // the right half is noisy, and its grey level says so
		for i := range s.TargetKPa {
			if s.Image[i] /= 2; i%c.Grid.Width >= half {
				s.Image[i] += 0.5
				s.TargetKPa[i] = float32(min(c.RangeKPa, max(0, float64(s.TargetKPa[i])+12*rng.NormFloat64())))
			}
		}
	}
	m, _, err := (&Trainer{Backend: backend, Config: c, Dir: t.TempDir()}).Train(t.Context(), planes)
	if err != nil {
		t.Fatal(err)
	}
	predictions, err := m.Predict(planes)
	if err != nil {
		t.Fatal(err)
	}
	var left, right float64
	for _, p := range predictions {
		for i, v := range p.ScaleKPa {
			if i%c.Grid.Width < half {
				left += float64(v) / float64(len(predictions)*len(p.ScaleKPa)/2)
			} else {
				right += float64(v) / float64(len(predictions)*len(p.ScaleKPa)/2)
			}
		}
	}
	if right < 2*left || right < 5 {
		t.Errorf("scale %.1f kPa in the quiet half, %.1f kPa in the one with noise of 12 kPa", left, right)
	}
}

// With a discriminator, too, a resumed training ends with the very same bytes, and the finished model leaves it behind.
func TestAdversarialTrainingResumes(t *testing.T) {
	c := toy()
	c.Training.Epochs, c.Training.CheckpointPeriod, c.Training.Adversarial = 2, 0, 0.01
	planes := toyPlanes(c, 8, "adversarial")
	finish := func(dir string) []byte {
		t.Helper()
		if _, _, err := (&Trainer{Backend: backend, Config: c, Dir: dir}).Train(t.Context(), planes); err != nil {
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
	trainer := Trainer{Backend: backend, Config: c, Dir: dir, OnStep: func(step, _ int, _ float64) {
		if step == 2 {
			cancel()
		}
	}}
	if _, _, err := trainer.Train(ctx, planes); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, expected that it was cancelled", err)
	}
	if !bytes.Equal(finish(dir), undisturbed) {
		t.Error("the resumed model differs from an undisturbed training's")
	}
	if bytes.Contains(undisturbed, []byte("discriminator")) {
		t.Error("the finished model carries the discriminator")
	}
}
