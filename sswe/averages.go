package sswe

import (
	"fmt"
	"iter"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"elastography/data"
	"elastography/data/npz"
)

// weightAverage is the running mean of the trainable weights over epochs, by variable path (stochastic weight averaging,
// Izmailov et al., 2018). Single epochs on a hundred planes scatter by a kilopascal; their mean scatters less.
type weightAverage struct {
	epochs int
	mean   map[string][]float32
}

const averagePrefix = "average"

// add takes the weights of one more epoch into the mean.
func (a *weightAverage) add(m *Model) error {
	a.epochs++
	for v := range m.store.IterVariables() {
		if !v.Trainable || !strings.HasPrefix(v.Path(), "/network/") {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("average %s: %w", v.Path(), err)
		}
		weights, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return fmt.Errorf("average %s: %w", v.Path(), err)
		}
		mean, ok := a.mean[v.Path()]
		if !ok {
			a.mean[v.Path()] = weights
			continue
		}
		for i, w := range weights {
			mean[i] += (w - mean[i]) / float32(a.epochs)
		}
	}
	return nil
}

// give sets the model's weights to the mean; without an epoch in it they stay.
func (a *weightAverage) give(m *Model) error {
	for v := range m.store.IterVariables() {
		if mean, ok := a.mean[v.Path()]; ok {
			if err := v.SetValue(tensors.FromFlatDataAndDimensions(mean, v.Shape().Dimensions...)); err != nil {
				return fmt.Errorf("average %s: %w", v.Path(), err)
			}
		}
	}
	return nil
}

// averageOf reads the mean that a checkpoint holds over so many epochs.
func averageOf(c *checkpoint, epochs int) (*weightAverage, error) {
	a := &weightAverage{epochs: epochs, mean: map[string][]float32{}}
	for _, name := range c.file.Names() {
		if path, ok := strings.CutPrefix(name, averagePrefix); ok && epochs > 0 {
			mean, _, err := npz.Get[float32](c.file, name)
			if err != nil {
				return nil, fmt.Errorf("read checkpoint: %w", err)
			}
			a.mean[path] = mean
		}
	}
	return a, nil
}

// exactAverages replaces the running means and variances of batch normalisation, which lag behind the weights, by those
// over all training planes. Without it a model is evaluated with statistics of weights it no longer has.
func (m *Model) exactAverages(samples []*data.Sample) error {
	if !m.Config.Network.BatchNorm {
		return nil
	}
	forward := func(scope *model.Scope, _ any, in []*graph.Node) []*graph.Node {
		out, _ := m.Config.Network.forward(scope, in[0])
		return []*graph.Node{output(out, 0)}
	}
	loss := func(labels, predictions []*graph.Node) *graph.Node {
		return maskedL1(predictions[0], labels[0], labels[1], labels[2])
	}
	trainer := train.NewTrainer(m.backend, m.store, forward, loss, optimizer.Adam().Done(), nil, nil)
	// The training-mode graph sets the parameter that the library looks for; a model that was only loaded lacks it.
	m.store.RootScope().SetParam(norm.AveragesUpdatesTriggerParam, true)
	if _, err := norm.UpdateBatchNormAverages(trainer, oneEpoch{samples, m.Config}); err != nil {
		return fmt.Errorf("batch-norm averages: %w", err)
	}
	return nil
}

// oneEpoch yields every sample once, in order, in batches of one size; the last few that don't fill a batch are joined
// by the first ones.
type oneEpoch struct {
	samples []*data.Sample
	config  Config
}

func (oneEpoch) Name() string { return "training planes" }

func (e oneEpoch) Iter() iter.Seq2[train.Batch, error] {
	return func(yield func(train.Batch, error) bool) {
		size := e.config.Training.BatchSize
		for from := 0; from < len(e.samples); from += size {
			part := make([]*data.Sample, size)
			for i := range part {
				part[i] = e.samples[(from+i)%len(e.samples)]
			}
			in := batchTensors(part, e.config)
			if !yield(train.Batch{Inputs: []*tensors.Tensor{in[0]}, Labels: in[1:]}, nil) {
				return
			}
		}
	}
}
