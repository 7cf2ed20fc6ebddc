package sswe

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"elastography/data"
	"elastography/data/npz"
)

// Workload is the training step and the prediction alone, on one batch of noise: what `bench` times.
type Workload struct {
	fit   *fit
	batch []*data.Sample
}

// NewWorkload prepares a configuration's network, weights as a training would start from, without weight decay. Nothing is
// compiled yet.
func NewWorkload(backend compute.Backend, c Config) (*Workload, error) {
	// Adam's first steps follow the sign of gradients however small: at a lower rate, rounding takes longer to grow.
	c.Training.WeightDecay, c.Training.LearningRate = 0, 1e-4
	w := &Workload{}
	for k := range c.Training.BatchSize {
		rng, n := stream(c.Seed, fmt.Sprintf("workload/%d", k)), c.Grid.Pixels()
		s := &data.Sample{Patient: "noise", Plane: fmt.Sprint(k), Grid: c.Grid, Image: make([]float32, n), TargetKPa: make([]float32, n),
			Mask: make([]bool, n), Saturated: make([]bool, n)}
		for i := range n {
			s.Image[i], s.TargetKPa[i], s.Mask[i] = rng.Float32(), float32(c.RangeKPa)*rng.Float32(), true
		}
		w.batch = append(w.batch, s)
	}
	m, err := newModel(backend, c, nil, c.RangeKPa/2)
	if err != nil {
		return nil, err
	}
	w.fit, err = newFit(&Trainer{Backend: backend, Config: c}, m, w.batch)
	return w, err
}

// Step takes one training step on the batch and returns its loss, in units of RangeKPa.
func (w *Workload) Step() (float64, error) {
	return w.fit.run(batchTensors(w.batch, w.fit.model.Config))
}

// Infer predicts the batch's first images.
func (w *Workload) Infer(images int) ([]Prediction, error) {
	return w.fit.model.Predict(w.batch[:images])
}

// Write stores the weights and the batch for other frameworks: weights.npz under the checkpoint's names, batch.npz with image
// and target (in units of RangeKPa), [batch, height, width, 1].
func (w *Workload) Write(dir string) error {
	arrays := map[string]npz.Array{}
	for v := range w.fit.model.store.IterVariables() {
		if !strings.HasPrefix(v.Path(), "/network/") {
			continue
		}
		array, err := arrayOf(v)
		if err != nil {
			return fmt.Errorf("write the workload: %s: %w", v.Path(), err)
		}
		arrays[strings.TrimPrefix(v.Path(), "/")] = array
	}
	if err := npz.WriteFile(filepath.Join(dir, "weights.npz"), arrays); err != nil {
		return fmt.Errorf("write the workload: %w", err)
	}
	c := w.fit.model.Config
	in := batchTensors(w.batch, c)
	shape := in[0].Shape().Dimensions
	image, target := tensors.MustCopyFlatData[float32](in[0]), tensors.MustCopyFlatData[float32](in[1])
	if err := npz.WriteFile(filepath.Join(dir, "batch.npz"), map[string]npz.Array{
		"image": npz.Of(image, shape...), "target": npz.Of(target, shape...),
		"leaky_slope": npz.Of([]float64{c.Network.LeakySlope}), "learning_rate": npz.Of([]float64{c.Training.LearningRate}),
	}); err != nil {
		return fmt.Errorf("write the workload: %w", err)
	}
	return nil
}
