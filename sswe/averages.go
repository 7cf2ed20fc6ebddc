package sswe

import (
	"fmt"
	"iter"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"elastography/data"
)

// exactAverages replaces the running means and variances of batch normalisation, which lag behind the weights, by those
// over all training planes. Without it a model is evaluated with statistics of weights it no longer has.
func (m *Model) exactAverages(samples []*data.Sample) error {
	if !m.Config.Network.BatchNorm {
		return nil
	}
	forward := func(scope *model.Scope, _ any, in []*graph.Node) []*graph.Node {
		stiffness, _ := m.Config.Network.forward(scope, in[0])
		return []*graph.Node{stiffness}
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
