package sswe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gomlx/compute"
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

// Epoch is one row of the training history.
type Epoch struct {
	Epoch        int     `json:"epoch"` // from 1
	Step         int     `json:"step"`  // steps done when it ended
	TrainMAEKPa  float64 `json:"train_mae_kpa"`
	ValMAEKPa    float64 `json:"val_mae_kpa"` // -1 where there is no validation patient
	LearningRate float64 `json:"learning_rate"`
	ImagesPerSec float64 `json:"-"` // speed is no result: it is shown, not stored
}

// progress is how far a training has come. It is stored with the weights, so that a resumed training equals an
// undisturbed one bit for bit.
type progress struct {
	Step      int     `json:"step"`
	EpochLoss float64 `json:"epoch_loss"` // sum over the steps of the epoch under way
	Averaged  int     `json:"averaged"`   // epochs in the weight average
	History   []Epoch `json:"history"`
}

// ErrDiverged marks a training whose loss is no number any more: its settings are at fault, not the machine.
var ErrDiverged = errors.New("the training diverged")

// Trainer fits a model to the training planes of a cohort. Its zero value with Backend, Config and Dir set is ready.
type Trainer struct {
	Backend compute.Backend
	Config  Config
	Dir     string // checkpoint folder
	Origin  Origin
	Devices int // of the backend, that share each batch; 0 and 1: one. Checkpoints know nothing of it
	// Start is a finished model (a run's folder, its checkpoint folder or a model file) of the same network, whose weights
	// the training begins with: fine-tuning. The optimiser and its learning rate start afresh. "" begins with random weights.
	Start string

	OnStep  func(step, steps int, lossKPa float64) // called after each step; may be nil
	OnEpoch func(Epoch)                            // called after each epoch; may be nil
}

// Train fits the model and leaves model.npz in the checkpoint folder. Cancelling ctx saves a checkpoint and returns
// ctx's error; calling Train again goes on from the last checkpoint and reaches the very same weights.
func (t *Trainer) Train(ctx context.Context, samples []*data.Sample) (*Model, []Epoch, error) {
	if err := t.Config.Validate(); err != nil {
		return nil, nil, err
	}
	fit, held := t.split(samples)
	if len(fit) == 0 {
		return nil, nil, errors.New("train: no plane is left to train on; lower training.validation_share or add patients")
	}
	if err := checkSamples(samples, t.Config.Grid); err != nil {
		return nil, nil, fmt.Errorf("train: %w", err)
	}
	if patients := patientNames(fit); len(patients) < 2 {
		return nil, nil, fmt.Errorf("train: only patient %s is left to train on, so that nothing tells what is usual in another; add patients or lower training.validation_share (%v)",
			patients[0], t.Config.Training.ValidationShare)
	}
	m, average, p, err := t.start(fit)
	if err != nil {
		return nil, nil, err
	}
	m.Origin.Seen = nil
	for _, s := range samples {
		m.Origin.Seen = append(m.Origin.Seen, fingerprint(s))
	}
	run, err := newFit(t, m, fit)
	if err != nil {
		return nil, nil, err
	}
	defer run.exec.Finalize()
	run.average = average
	if err := t.loop(ctx, run, p, held); err != nil {
		return nil, nil, err
	}
	return m, p.History, t.finish(run, held, *p)
}

// Fit trains the model, or loads it trained, and leaves its history in the run.
func (t *Trainer) Fit(ctx context.Context, run Run, samples []*data.Sample) (*Model, error) {
	if history, finished := t.Finished(); finished {
		m, err := Load(t.Backend, t.Dir)
		if err != nil {
			return nil, err
		}
		return m, run.SaveHistory(history)
	}
	m, history, err := t.Train(ctx, samples)
	if err != nil {
		return nil, err
	}
	return m, run.SaveHistory(history)
}

// split takes the validation patients from the training patients, by patient and by the seed.
func (t *Trainer) split(samples []*data.Sample) (fit, held []*data.Sample) {
	patients := patientNames(samples)
	n := int(math.Round(t.Config.Training.ValidationShare * float64(len(patients))))
	order := stream(t.Config.Seed, "validation patients").Perm(len(patients))
	for _, s := range samples {
		if slices.Contains(order[:n], slices.Index(patients, s.Patient)) {
			held = append(held, s)
		} else {
			fit = append(fit, s)
		}
	}
	return fit, held
}

// start loads the last checkpoint, the model to fine-tune, or makes a new model.
func (t *Trainer) start(fit []*data.Sample) (*Model, *weightAverage, *progress, error) {
	origin, err := t.origin()
	if err != nil {
		return nil, nil, nil, err
	}
	c, err := readCheckpoint(filepath.Join(t.Dir, lastFile))
	if errors.Is(err, fs.ErrNotExist) {
		var m *Model
		if t.Start != "" {
			m, err = t.startingModel()
		} else {
			m, err = newModel(t.Backend, t.Config, nil, medianKPa(fit))
		}
		if err != nil {
			return nil, nil, nil, err
		}
		m.Origin = origin
		return m, &weightAverage{mean: map[string][]float32{}}, &progress{}, nil
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("resume training: %w; delete the folder %s to train from the start", err, t.Dir)
	}
	if c.meta.Config != t.Config {
		return nil, nil, nil, fmt.Errorf("resume training: the checkpoint in %s was made with another configuration (preset %q, seed %d, network %+v); "+
			"use that configuration or another output folder", t.Dir, c.meta.Config.Preset, c.meta.Config.Seed, c.meta.Config.Network)
	}
	if c.meta.Origin.startedFrom() != origin.startedFrom() {
		return nil, nil, nil, fmt.Errorf("resume training: the one in %s began with other weights than now asked for; start it as before or use another output folder", t.Dir)
	}
	m, err := newModel(t.Backend, t.Config, c, 0)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("resume training from %s: %w", c.path, err)
	}
	if err := c.complete(m); err != nil {
		return nil, nil, nil, err
	}
	m.Origin = origin
	average, err := averageOf(c, c.meta.Progress.Averaged)
	return m, average, &c.meta.Progress, err
}

// loop takes the training steps that are left.
func (t *Trainer) loop(ctx context.Context, f *fit, p *progress, held []*data.Sample) error {
	c := t.Config.Training
	perEpoch := f.stepsPerEpoch()
	steps := c.Epochs * perEpoch
	first, began, saved := p.Step, time.Now(), time.Now()
	for p.Step < steps {
		if ctx.Err() != nil {
			if err := f.model.write(filepath.Join(t.Dir, lastFile), *p, f.average); err != nil {
				return errors.Join(context.Cause(ctx), err)
			}
			return fmt.Errorf("training stopped at step %d of %d, the checkpoint is saved: %w", p.Step, steps, context.Cause(ctx))
		}
		rate := c.rate(p.Step, steps)
		loss, err := f.step(p.Step, rate)
		if err != nil {
			return fmt.Errorf("training step %d: %w", p.Step, err)
		}
		lossKPa := loss * t.Config.RangeKPa
		if math.IsNaN(lossKPa) || math.IsInf(lossKPa, 0) {
			return fmt.Errorf("training step %d: %w: the loss is %v; the last good checkpoint is kept in %s; lower training.learning_rate (%v) and resume",
				p.Step, ErrDiverged, loss, t.Dir, c.LearningRate)
		}
		p.Step++
		p.EpochLoss += lossKPa
		if t.OnStep != nil {
			t.OnStep(p.Step, steps, lossKPa)
		}
		if p.Step%perEpoch == 0 {
			perSecond := float64((p.Step-first)*c.BatchSize) / time.Since(began).Seconds()
			if err := t.endEpoch(f, p, held, rate, perSecond); err != nil {
				return err
			}
		}
		if time.Since(saved) > time.Duration(c.CheckpointPeriod)*time.Second || p.Step == steps {
			if err := f.model.write(filepath.Join(t.Dir, lastFile), *p, f.average); err != nil {
				return err
			}
			saved = time.Now()
		}
	}
	return nil
}

// rate falls from LearningRate to FinalRate along half a cosine.
func (t Training) rate(step, steps int) float64 {
	return t.FinalRate + (t.LearningRate-t.FinalRate)*(1+math.Cos(math.Pi*float64(step)/float64(steps)))/2
}

// endEpoch validates, averages the weights of the last epochs and appends to the history.
func (t *Trainer) endEpoch(f *fit, p *progress, held []*data.Sample, rate, imagesPerSec float64) error {
	perEpoch := f.stepsPerEpoch()
	e := Epoch{Epoch: p.Step / perEpoch, Step: p.Step, TrainMAEKPa: p.EpochLoss / float64(perEpoch), ValMAEKPa: -1,
		LearningRate: rate, ImagesPerSec: imagesPerSec}
	p.EpochLoss = 0
	if len(held) > 0 {
		predictions, err := f.model.Predict(held)
		if err != nil {
			return fmt.Errorf("validate epoch %d: %w", e.Epoch, err)
		}
		e.ValMAEKPa = MeanAbsoluteError(held, predictions)
	}
	p.History = append(p.History, e)
	c := t.Config.Training
	if float64(e.Epoch) > (1-c.AveragedShare)*float64(c.Epochs) {
		if err := f.average.add(f.model); err != nil {
			return fmt.Errorf("epoch %d: %w", e.Epoch, err)
		}
		p.Averaged = f.average.epochs
	}
	if t.OnEpoch != nil {
		t.OnEpoch(e)
	}
	return nil
}

// finish turns the averaged weights into the finished model: exact batch-norm statistics over the training planes, the
// domain's statistics, model.npz.
func (t *Trainer) finish(f *fit, held []*data.Sample, p progress) error {
	if err := f.average.give(f.model); err != nil {
		return fmt.Errorf("finish training: %w", err)
	}
	if err := f.model.exactAverages(f.samples); err != nil {
		return fmt.Errorf("finish training: %w", err)
	}
	seen := slices.Concat(f.samples, held)
	predictions, err := f.model.features(seen)
	if err != nil {
		return err
	}
	f.model.Domain = newDomain(seen, predictions)
	return f.model.save(filepath.Join(t.Dir, ModelFile), progress{History: p.History})
}

// Finished tells whether the checkpoint folder holds a finished model of this configuration and start, and its history.
func (t *Trainer) Finished() ([]Epoch, bool) {
	c, err := readCheckpoint(filepath.Join(t.Dir, ModelFile))
	if err != nil || c.meta.Config != t.Config {
		return nil, false
	}
	if origin, err := t.origin(); err != nil || c.meta.Origin.startedFrom() != origin.startedFrom() {
		return nil, false
	}
	return c.meta.Progress.History, true
}

// Reset deletes what an earlier training left.
func (t *Trainer) Reset() error {
	for _, name := range []string{lastFile, ModelFile} {
		if err := os.Remove(filepath.Join(t.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("reset training: %w", err)
		}
	}
	return nil
}

// fit is a training under way: the compiled step and its data.
type fit struct {
	model   *Model
	samples []*data.Sample
	average *weightAverage
	exec    *model.Exec
	rate    *model.Variable

	sharding *distributed.ShardingSpec // of a batch over devices; nil: one device
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
// alone, so that a resumed training sees the same images.
func (f *fit) step(step int, rate float64) (float64, error) {
	c := f.model.Config
	if err := f.rate.SetValue(tensors.FromScalar(float32(rate))); err != nil {
		return 0, err
	}
	batch := f.batch(step)
	for i, s := range batch {
		batch[i] = c.Augmentation.Apply(s, stream(c.Seed, fmt.Sprintf("augmentation/%d/%d", step, i)))
	}
	return f.run(batchTensors(batch, c))
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
	n, pixels := len(samples), c.Grid.Pixels()
	var maps [4][]float32
	for k := range maps {
		maps[k] = make([]float32, n*pixels)
	}
	for b, s := range samples {
		copy(maps[0][b*pixels:], s.Image)
		for i := range pixels {
			if s.Mask[i] {
				maps[1][b*pixels+i] = s.TargetKPa[i] / float32(c.RangeKPa)
				maps[2][b*pixels+i] = 1
			}
			if s.Saturated[i] {
				maps[3][b*pixels+i] = 1
			}
		}
	}
	out := make([]*tensors.Tensor, len(maps))
	for k := range maps {
		out[k] = tensor4(maps[k], n, c.Grid)
	}
	return out
}
