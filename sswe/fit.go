package sswe

import (
	"fmt"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/gomlx/gomlx/support/exceptions"

	"elastography/data"
)

// fit is a training under way: the compiled step and its data.
type fit struct {
	model   *Model
	samples []*data.Sample
	average *weightAverage
	exec    *model.Exec
	rate    *model.Variable

	sharding *distributed.ShardingSpec // of a batch over devices; nil: one device

	ahead chan prepared // the next step's batch, made while the last one's is trained on; nil before the first step
}

// prepared is the batch of a step, augmented and packed.
type prepared struct {
	step int
	in   []*tensors.Tensor
}

// newFit compiles nothing yet: XLA does at the first step.
func newFit(t *Trainer, m *Model, samples []*data.Sample) (*fit, error) {
	f := &fit{model: m, samples: samples}
	if err := exceptions.TryCatch[error](func() {
		f.rate = optimizer.LearningRateVar(m.store.RootScope(), dtypes.Float32, t.Config.Training.LearningRate)
	}); err != nil {
		return nil, fmt.Errorf("build the training step: %w", err)
	}
	adam := optimizer.Adam().LearningRate(t.Config.Training.LearningRate).WeightDecay(t.Config.Training.WeightDecay).Done()
	loss := t.Config.objective(samples)
	step := func(scope *model.Scope, in []*graph.Node) *graph.Node {
		g := in[0].Graph()
		scope.Store().SetTraining(g, true)
		out, _ := t.Config.Network.forward(scope, in[0])
		stiffness := output(out, 0)
		total := loss(out, in[1], in[2], in[3])
		if weight := t.Config.Training.Adversarial; weight > 0 {
			generator, discriminator := adversarial(scope, in[0], stiffness, in[1], in[2], in[3])
			total = graph.Add(graph.Add(total, graph.MulScalar(generator, weight)), discriminator)
		}
		adam.UpdateGraph(scope, g, total)
		return maskedL1(stiffness, in[1], in[2], in[3]) // the history is in kPa, whatever is minimised
	}
	if t.Config.Training.Adversarial > 0 {
		if err := addDiscriminator(m.store, t.Config.Seed); err != nil {
			return nil, err
		}
	}
	err := createVariables(m.backend, m.store, func(g *graph.Graph) { // Adam's moments
		in := make([]*graph.Node, 4)
		for i := range in {
			in[i] = graph.Parameter(g, fmt.Sprintf("input_%d", i), shapes.Make(dtypes.Float32, 1, t.Config.Grid.Height, t.Config.Grid.Width, 1))
		}
		step(m.store.RootScope(), in)
	})
	if err != nil {
		return nil, fmt.Errorf("build the training step: %w", err)
	}
	f.exec, err = model.NewExec(m.backend, m.store, step)
	if err != nil {
		return nil, fmt.Errorf("build the training step: %w", err)
	}
	if err := f.spread(t.Devices); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return f, nil
}

func (f *fit) stepsPerEpoch() int {
	batch := f.model.Config.Training.BatchSize
	return (len(f.samples) + batch - 1) / batch
}

// step takes one step and returns its loss, in units of RangeKPa. Its batch is a function of the seed and the step
// alone, so that a resumed training sees the same images; the next one's is made meanwhile.
func (f *fit) step(step int, rate float64) (float64, error) {
	if err := f.rate.SetValue(tensors.FromScalar(float32(rate))); err != nil {
		return 0, err
	}
	var now prepared
	if f.ahead != nil {
		now = <-f.ahead
	}
	if now.in == nil || now.step != step {
		now.free()
		now = f.prepare(step)
	}
	next := make(chan prepared, 1)
	go func() { next <- f.prepare(step + 1) }()
	f.ahead = next
	return f.run(now.in)
}

func (f *fit) prepare(step int) prepared {
	c := f.model.Config
	batch := f.batch(step)
	for i, s := range batch {
		batch[i] = c.Augmentation.Apply(s, stream(c.Seed, fmt.Sprintf("augmentation/%d/%d", step, i)))
	}
	return prepared{step, batchTensors(batch, c)}
}

func (p prepared) free() {
	for _, t := range p.in {
		t.MustFinalizeAll()
	}
}

// close frees the program and the batch that is not trained on any more.
func (f *fit) close() {
	if f.ahead != nil {
		(<-f.ahead).free()
	}
	f.exec.Finalize()
}

// batch lists the samples of a step: each epoch visits every sample once, in an order of its own, and fills its last
// batch from its beginning.
func (f *fit) batch(step int) []*data.Sample {
	c, perEpoch := f.model.Config, f.stepsPerEpoch()
	order := stream(c.Seed, fmt.Sprintf("order/%d", step/perEpoch)).Perm(len(f.samples))
	out := make([]*data.Sample, c.Training.BatchSize)
	for i := range out {
		out[i] = f.samples[order[((step%perEpoch)*c.Training.BatchSize+i)%len(order)]]
	}
	return out
}

// batchTensors packs samples as image, target (in units of RangeKPa), mask and saturated, [batch, height, width, 1].
func batchTensors(samples []*data.Sample, c Config) []*tensors.Tensor {
	pixels := c.Grid.Pixels()
	fill := func(write func(s *data.Sample, to []float32)) *tensors.Tensor {
		t := tensors.FromShape(shapes.Make(dtypes.Float32, len(samples), c.Grid.Height, c.Grid.Width, 1))
		tensors.MustMutableFlatData(t, func(flat []float32) {
			for b, s := range samples {
				write(s, flat[b*pixels:(b+1)*pixels])
			}
		})
		return t
	}
	indicator := func(of func(*data.Sample) []bool) *tensors.Tensor {
		return fill(func(s *data.Sample, to []float32) {
			for i, yes := range of(s) {
				if to[i] = 0; yes {
					to[i] = 1
				}
			}
		})
	}
	return []*tensors.Tensor{
		fill(func(s *data.Sample, to []float32) { copy(to, s.Image) }),
		fill(func(s *data.Sample, to []float32) {
			for i, valid := range s.Mask {
				if to[i] = 0; valid {
					to[i] = s.TargetKPa[i] / float32(c.RangeKPa)
				}
			}
		}),
		indicator(func(s *data.Sample) []bool { return s.Mask }),
		indicator(func(s *data.Sample) []bool { return s.Saturated }),
	}
}
